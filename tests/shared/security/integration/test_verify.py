"""Every sort of tampering with entries, seals and checkpoints is found and named."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.security import chain
from shared.security.checkpoints import AuditSigner, CheckpointStore
from shared.security.verify import Wrong, verify
from tests.support.audited import AuditedRoom


@pytest.fixture
async def sealed_room(room: AuditedRoom) -> AuditedRoom:
    """Twelve entries, sealed in three rounds with a checkpoint each."""
    for _ in range(3):
        await room.write(4)
        await room.seal()
    return room


async def test_what_nobody_touched_is_right(sealed_room: AuditedRoom) -> None:
    seen: list[tuple[int, int]] = []
    report = await verify(
        sealed_room.conn,
        checkpoints=sealed_room.store,
        keys={sealed_room.signer.key_id: sealed_room.public_key},
        progress=lambda done, total: seen.append((done, total)),
    )
    assert report.ok
    assert (report.sealed, report.unsealed, report.checkpoints) == (12, 0, 3)
    assert seen == [(12, 12)]


async def test_entries_not_sealed_yet_are_no_break(sealed_room: AuditedRoom) -> None:
    await sealed_room.write(2)
    report = await sealed_room.verify()
    assert report.ok
    assert report.unsealed == 2


CHANGES = {
    "at": "at + interval '1 microsecond'",
    "actor": "'staff:u2'",
    "roles": "'{clerk,\"supervisor \"}'",
    "action": "'card.shelved'",
    "subject": "subject || ' '",
    "site_id": "NULL",
    "refs": 'refs || \'{"number": "4"}\'',
    "trace_id": "NULL",
    "xid": "'4'",
}


@pytest.mark.parametrize("column", list(CHANGES))
async def test_a_changed_entry_is_found(sealed_room: AuditedRoom, column: str) -> None:
    await sealed_room.tamper(f"UPDATE audit_entry SET {column} = {CHANGES[column]} WHERE pos = 5")
    found = (await sealed_room.verify()).first_break
    assert found
    assert (found.wrong, found.seq, found.pos) == (Wrong.CHANGED, 5, 5)


SWAP = """UPDATE audit_entry SET subject = CASE pos WHEN 5 THEN (SELECT subject FROM audit_entry
          WHERE pos = 6) ELSE (SELECT subject FROM audit_entry WHERE pos = 5) END
          WHERE pos IN (5, 6)"""
FORGED = """INSERT INTO audit_entry (xid, pos, at, actor, roles, action, subject)
            OVERRIDING SYSTEM VALUE VALUES ({xid}, {pos}, now(), 'staff:u9', '{{}}', 'a', 's')"""
OLD, NEW = "(SELECT min(xid) FROM audit_entry)", "pg_current_xact_id()"


@pytest.mark.parametrize(
    ("statements", "wrong", "seq"),
    [
        ([SWAP], Wrong.CHANGED, 5),
        (["UPDATE audit_seal SET hash = sha256('x') WHERE seq = 5"], Wrong.CHANGED, 5),
        (["UPDATE audit_seal SET hash = sha256('x') WHERE seq = 12"], Wrong.CHANGED, 12),
        (["UPDATE audit_seal SET xid = '3' WHERE seq = 5"], Wrong.CHANGED, 5),
        (["DELETE FROM audit_entry WHERE pos = 5"], Wrong.REMOVED, 5),
        (["DELETE FROM audit_seal WHERE seq = 5"], Wrong.REMOVED, 5),
        (["DELETE FROM audit_seal WHERE seq = 1"], Wrong.REMOVED, 1),
        (
            ["DELETE FROM audit_entry WHERE pos = 5", "DELETE FROM audit_seal WHERE seq = 5"],
            Wrong.REMOVED,
            5,
        ),
        (["DELETE FROM audit_entry WHERE pos > 10"], Wrong.REMOVED, 11),
        (["TRUNCATE audit_entry"], Wrong.REMOVED, 1),
        (["TRUNCATE audit_entry", "TRUNCATE audit_seal"], Wrong.CUT_END, 4),
        ([FORGED.format(xid=OLD, pos=900)], Wrong.INSERTED, None),
        (
            ["UPDATE audit_era SET from_pos = 1000", FORGED.format(xid=NEW, pos=999)],
            Wrong.INSERTED,
            None,
        ),
    ],
)
async def test_tampering_is_found(
    sealed_room: AuditedRoom, statements: list[str], wrong: Wrong, seq: int | None
) -> None:
    await sealed_room.tamper(*statements)
    found = (await sealed_room.verify()).first_break
    assert found
    assert (found.wrong, found.seq) == (wrong, seq)
    await sealed_room.seal()
    assert (await sealed_room.verify()).first_break == found, "sealing on hides nothing"


async def test_a_cut_end_is_found_by_the_checkpoint(sealed_room: AuditedRoom) -> None:
    await sealed_room.tamper(
        "DELETE FROM audit_entry WHERE pos > 10", "DELETE FROM audit_seal WHERE seq > 10"
    )
    assert (await sealed_room.verify(with_checkpoints=False)).first_break is not None
    await sealed_room.tamper("TRUNCATE audit_receipt")
    assert (await sealed_room.verify(with_checkpoints=False)).ok, "the guard is needed"
    found = (await sealed_room.verify()).first_break
    assert found
    assert (found.wrong, found.seq) == (Wrong.CUT_END, 12)


async def rewrite(room: AuditedRoom) -> None:
    """What an intruder who knows the rule would do: make the whole chain anew."""
    rows = await room.conn.fetch("SELECT * FROM audit_entry ORDER BY xid, pos")
    before, statements = chain.GENESIS, ["TRUNCATE audit_seal"]
    for seq, row in enumerate(rows, start=1):
        before = chain.seal_hash(before, seq, row)
        values = f"{seq}, '{row['xid']}', {row['pos']}, '\\x{before.hex()}'"
        statements.append(f"INSERT INTO audit_seal VALUES ({values})")
    await room.tamper(*statements)


@pytest.mark.parametrize(
    ("statement", "seq"),
    [
        ("UPDATE audit_entry SET actor = 'staff:u9' WHERE pos = 6", 8),
        ("DELETE FROM audit_entry WHERE pos = 2", 4),
        (FORGED.format(xid=OLD, pos=900), 8),
    ],
    ids=["changed", "removed", "inserted"],
)
async def test_a_rewritten_chain_is_found_by_the_checkpoint(
    sealed_room: AuditedRoom, statement: str, seq: int
) -> None:
    await sealed_room.tamper(statement)
    await rewrite(sealed_room)
    await sealed_room.tamper("TRUNCATE audit_receipt")
    assert (await sealed_room.verify(with_checkpoints=False)).ok, "the guard is needed"
    found = (await sealed_room.verify()).first_break
    assert found
    assert found.wrong is Wrong.REWRITTEN


@pytest.mark.parametrize(
    ("statement", "wrong"),
    [
        ("DELETE FROM audit_checkpoint WHERE number = 1", Wrong.MISSING_CHECKPOINT),
        ("DELETE FROM audit_checkpoint WHERE number = 2", Wrong.MISSING_CHECKPOINT),
        ("DELETE FROM audit_checkpoint WHERE number = 3", Wrong.MISSING_CHECKPOINT),
        ("TRUNCATE audit_checkpoint", Wrong.MISSING_CHECKPOINT),
        ("UPDATE audit_checkpoint SET hash = sha256('x') WHERE number = 2", Wrong.BAD_SIGNATURE),
        ("UPDATE audit_checkpoint SET seq = seq - 1 WHERE number = 3", Wrong.BAD_SIGNATURE),
        ("UPDATE audit_checkpoint SET at = now() WHERE number = 1", Wrong.BAD_SIGNATURE),
        ("UPDATE audit_checkpoint SET key_id = 'x' WHERE number = 1", Wrong.BAD_SIGNATURE),
        ("UPDATE audit_checkpoint SET number = 4 WHERE number = 3", Wrong.MISSING_CHECKPOINT),
    ],
)
async def test_tampering_with_checkpoints_is_found(
    sealed_room: AuditedRoom, statement: str, wrong: Wrong
) -> None:
    await sealed_room.tamper_with_checkpoints(statement)
    found = (await sealed_room.verify()).first_break
    assert found
    assert found.wrong is wrong


async def test_a_strangers_signature_does_not_count(sealed_room: AuditedRoom) -> None:
    await sealed_room.write(1)
    stranger = replace(sealed_room, signer=AuditSigner(Ed25519PrivateKey.generate()))
    await stranger.seal()
    found = (await sealed_room.verify()).first_break
    assert found
    assert (found.wrong, found.seq) == (Wrong.BAD_SIGNATURE, 13)


async def test_another_chains_checkpoint_does_not_count(sealed_room: AuditedRoom) -> None:
    await sealed_room.tamper_with_checkpoints("UPDATE audit_checkpoint SET chain = '/1/other'")
    other = CheckpointStore(sealed_room.audit_url, "/1/other")
    keys = {sealed_room.signer.key_id: sealed_room.public_key}
    report = await verify(sealed_room.conn, checkpoints=other, keys=keys)
    assert report.first_break
    assert report.first_break.wrong is Wrong.BAD_SIGNATURE


async def test_a_cut_longer_than_a_page_is_found(
    sealed_room: AuditedRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.security.verify._PAGE", 5)
    assert (await sealed_room.verify()).ok
    await sealed_room.tamper("DELETE FROM audit_seal WHERE seq BETWEEN 5 AND 11")
    found = (await sealed_room.verify()).first_break
    assert found
    assert (found.wrong, found.seq) == (Wrong.REMOVED, 5)
