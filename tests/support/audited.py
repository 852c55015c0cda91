"""A room with its audit: a kernel database, an audit database beside it, and a signing key."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.ids import SiteId
from shared.security import audit, sealer
from shared.security.checkpoints import AuditSigner, CheckpointStore, key_id
from shared.security.sealer import Sealer
from shared.security.verify import Report, verify

KEY = Ed25519PrivateKey.generate()
AT = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)


def entry(number: int) -> audit.AuditEntry:
    return audit.AuditEntry(
        at=AT,
        actor="staff:u1",
        roles=("clerk", "supervisor"),
        action="card.shelve",
        subject=f"case-{number}",
        site_id=SiteId("here"),
        references={"shelf": "A-1", "number": number, "語": "棚"},
        trace_id="0af7651916cd43dd8448eb211c80319c",
    )


@dataclass
class AuditedRoom:
    url: str
    audit_url: str
    conn: asyncpg.Connection
    signer: AuditSigner = field(default_factory=lambda: AuditSigner(KEY))
    chain: str = "/141305/issuance"
    written: int = 0

    @property
    def store(self) -> CheckpointStore:
        return CheckpointStore(self.audit_url, self.chain)

    def sealer(self, every: float = 0.0) -> Sealer:
        return Sealer(self.url, checkpoints=self.store, signer=self.signer, every=every)

    async def write(self, count: int) -> None:
        entries = [entry(self.written + number) for number in range(count)]
        async with self.conn.transaction():
            await audit.append(self.conn, entries)
        self.written += count

    async def seal(self) -> int:
        return await self.sealer().seal_all(self.conn)

    async def seal_below(self, xid: str) -> None:
        """Seal as on a cluster whose transaction ids have come to ``xid``."""
        sql = sealer._UNSEALED.replace("pg_snapshot_xmin(pg_current_snapshot())", f"'{xid}'")
        tip = await sealer.open_chain(self.conn)
        rows = await self.conn.fetch(sql, tip.xid, tip.pos, tip.from_pos)
        await sealer._write(self.conn, tip, rows)

    @property
    def public_key(self) -> Ed25519PublicKey:
        return KEY.public_key()

    async def verify(self, *, with_checkpoints: bool = True) -> Report:
        keys = {key_id(KEY.public_key()): KEY.public_key()}
        store = self.store if with_checkpoints else None
        return await verify(self.conn, checkpoints=store, keys=keys)

    async def tamper(self, *statements: str) -> None:
        """As an intruder with every right would: triggers off."""
        await self._unguarded(self.url, statements)

    async def tamper_with_checkpoints(self, *statements: str) -> None:
        await self._unguarded(self.audit_url, statements)

    @staticmethod
    async def _unguarded(url: str, statements: tuple[str, ...]) -> None:
        conn = await asyncpg.connect(url)
        try:
            await conn.execute("SET session_replication_role = replica")
            for statement in statements:
                await conn.execute(statement)
        finally:
            await conn.close()
