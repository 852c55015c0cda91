"""What the vault seals opens only there, and never again once its subject is erased."""

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.db import Database
from shared.security.vault import (
    Cell,
    SubjectErasedError,
    TamperedError,
    UnknownMasterKeyError,
    Vault,
    _bound,
    erase,
)

ONE, TWO = b"1" * 32, b"2" * 32
MAIL, PHONE, OTHER = Cell("c1", "contact.email"), Cell("c1", "contact.phone"), Cell("c2", "x")
TEXTS = {MAIL: "見本", PHONE: "000", OTHER: ""}
AT = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def vault() -> Vault:
    return Vault({"m1": ONE})


async def test_many_subjects_come_back_as_they_went(
    kernel_database: Database, vault: Vault
) -> None:
    async with kernel_database.transaction() as conn:
        sealed = await vault.seal(conn, TEXTS)
        assert await vault.open(conn, sealed) == TEXTS
        again = await vault.seal(conn, TEXTS)
        assert await conn.fetchval("SELECT count(*) FROM subject_key") == 2
        assert await vault.open(conn, {}) == {}
        assert await vault.seal(conn, {}) == {}
    assert all(again[cell] != sealed[cell] for cell in TEXTS), "a fresh nonce each time"
    assert all("見本".encode() not in data for data in sealed.values())


async def test_a_cell_opens_only_in_its_own_place(kernel_database: Database, vault: Vault) -> None:
    async with kernel_database.transaction() as conn:
        sealed = await vault.seal(conn, TEXTS)
        for wrong in (
            {PHONE: sealed[MAIL]},
            {OTHER: sealed[MAIL]},
            {MAIL: sealed[MAIL][:-1] + bytes([sealed[MAIL][-1] ^ 1])},
            {MAIL: sealed[MAIL][:5]},
            {MAIL: b"\x02" + sealed[MAIL][1:]},
            {MAIL: b""},
            {Cell("nobody", "x"): sealed[MAIL]},
        ):
            with pytest.raises(TamperedError):
                await vault.open(conn, wrong)


async def test_a_data_key_works_only_for_its_subject(
    kernel_database: Database, vault: Vault
) -> None:
    async with kernel_database.transaction() as conn:
        sealed = await vault.seal(conn, TEXTS)
        await conn.execute(
            """UPDATE subject_key SET wrapped = (SELECT wrapped FROM subject_key
               WHERE subject = 'c1') WHERE subject = 'c2'"""
        )
        with pytest.raises(TamperedError):
            await vault.open(conn, {OTHER: sealed[OTHER]})


async def test_erased_is_erased_for_ever(kernel_database: Database, vault: Vault) -> None:
    async with kernel_database.transaction() as conn:
        sealed = await vault.seal(conn, TEXTS)
        assert await erase(conn, ["c1", "c1", "never-seen"], at=AT) == ["c1", "never-seen"]
        assert await erase(conn, ["c1"], at=datetime.now(UTC)) == []
        assert await vault.open(conn, sealed) == {MAIL: None, PHONE: None, OTHER: ""}
        for subject in ("c1", "never-seen"):
            with pytest.raises(SubjectErasedError):
                await vault.seal(conn, {Cell(subject, "x"): "again", OTHER: "y"})
        row = await conn.fetchrow("SELECT * FROM subject_key WHERE subject = 'c1'")
    assert row is not None
    assert dict(row) == {"subject": "c1", "master_key_id": None, "wrapped": None, "erased_at": AT}


async def test_master_keys_rotate(kernel_database: Database, vault: Vault) -> None:
    rotated = Vault({"m2": TWO, "m1": ONE})
    async with kernel_database.transaction() as conn:
        sealed = await vault.seal(conn, TEXTS)
        await erase(conn, ["c3"], at=AT)
        with pytest.raises(UnknownMasterKeyError):
            await Vault({"m2": TWO}).open(conn, sealed)
        assert await rotated.open(conn, sealed) == TEXTS
        assert [await rotated.rewrap(conn, limit=1) for _ in range(3)] == [1, 1, 0]
        assert await Vault({"m2": TWO}).open(conn, sealed) == TEXTS
        with pytest.raises(UnknownMasterKeyError):
            await vault.open(conn, sealed)


async def test_racers_share_one_data_key(kernel_database: Database, vault: Vault) -> None:
    cells = [Cell("shared", f"column-{number}") for number in range(20)]

    async def racer(cell: Cell) -> dict[Cell, bytes]:
        async with kernel_database.transaction() as conn:
            return await vault.seal(conn, {cell: cell.column, Cell("own" + cell.column, "x"): ""})

    sealed: dict[Cell, bytes] = {}
    for done in await asyncio.gather(*map(racer, cells)):
        sealed |= done
    async with kernel_database.reader() as conn:
        opened = await vault.open(conn, sealed)
        assert await conn.fetchval("SELECT count(*) FROM subject_key") == 21
    assert all(opened[cell] == cell.column for cell in cells)


async def test_an_erasure_waits_for_a_seal_at_work(kernel_database: Database, vault: Vault) -> None:
    async with kernel_database.transaction() as conn:
        await vault.seal(conn, {MAIL: "1"})

    async def erased() -> list[str]:
        async with kernel_database.transaction() as conn:
            return await erase(conn, ["c1"], at=AT)

    async with kernel_database.transaction() as conn:
        sealed = await vault.seal(conn, {MAIL: "2"})
        erasing = asyncio.create_task(erased())
        done, _ = await asyncio.wait([erasing], timeout=0.2)
        assert not done
    assert await erasing == ["c1"]
    async with kernel_database.reader() as conn:
        assert await vault.open(conn, sealed) == {MAIL: None}


@given(st.lists(st.text(), max_size=3), st.lists(st.text(), max_size=3))
def test_different_places_are_bound_differently(one: list[str], two: list[str]) -> None:
    assert (_bound(*one) == _bound(*two)) == (one == two)


@pytest.mark.parametrize("ring", [{}, {"m1": b"short"}])
def test_a_ring_needs_good_keys(ring: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match="master ring"):
        Vault(ring)
