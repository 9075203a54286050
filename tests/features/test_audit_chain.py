"""The audit shows what was changed in it since, and not that a personal value was given up."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, insert, select, update

from postroom.domain.action import ActionType
from postroom.domain.caller import Person
from postroom.features import audit
from postroom.features.audit import seal
from postroom.features.audit.erase import give_up_values
from postroom.features.audit.report import Fault, Head, Report
from postroom.features.audit.seal import seal_entries
from postroom.features.audit.store import audit_entries, audit_seals
from postroom.features.audit.values import salted, seal_values
from postroom.features.audit.verify import verify
from postroom.features.notifications.act import Action
from postroom.kit.crypto import Vault
from postroom.kit.database import Database
from postroom.kit.ids import first_id_at, new_id

if TYPE_CHECKING:
    from tests.features.conftest import Office

ADDED = first_id_at(datetime(2026, 11, 1, tzinfo=UTC))

Tamper = Callable[[Any, list[Any]], Awaitable[Any]]


async def seal_all(office: "Office") -> int:
    return await seal_entries(office.app.database, vault=office.app.vault, now=office.now)


async def looked_at(office: "Office", **how: Any) -> Report:
    return await verify(office.app.database, vault=office.app.vault, **how)


async def entries(office: "Office") -> list[Any]:
    return sorted(await office.rows(audit_entries), key=lambda row: row.id)


def found(report: Report) -> list[tuple[Fault, Any]]:
    return sorted((each.fault, each.entry_id or each.seal) for each in report.findings)


@pytest.fixture
async def sealed(office: "Office", joe: Person) -> list[Any]:
    """Seven entries in three seals, as they are kept."""
    for number in range(2):
        made = await office.create(office.screen(reference=f"R-{number}"))
        await office.act(
            made, Action(ActionType.INITIATED, note=f"note {number}", ip="192.0.2.1"), caller=joe
        )
        assert await seal_all(office) == 2
    for _ in range(3):
        await office.create(office.screen())
    assert await seal_all(office) == 3
    return await entries(office)


async def test_every_entry_is_sealed_once_and_the_chain_holds(office: "Office", sealed: list[Any]) -> None:
    report = await looked_at(office)

    assert await seal_all(office) == 0
    assert [row.seal for row in sealed] == [1, 1, 2, 2, 3, 3, 3]
    assert (report.is_whole, report.entries, report.seals, report.unsealed, report.values_given_up) == (
        True,
        7,
        3,
        0,
        0,
    )
    assert report.head is not None
    assert (await looked_at(office, head=Head.of(report.head))).findings == []


async def test_what_is_not_sealed_yet_is_counted_apart(office: "Office", sealed: list[Any]) -> None:
    await office.create(office.screen())

    report = await looked_at(office)

    assert (report.is_whole, report.entries, report.unsealed) == (True, 7, 1)


CHANGES: dict[str, dict[str, Any]] = {
    "kind": {"kind": "removed"},
    "moment": {"at": audit_entries.c.at},
    "detail": {"detail": "Approved"},
    "correlation": {"correlation_id": "c-9"},
    "service": {"service_id": new_id()},
    "notification": {"notification_id": None},
    "values": {"personal": b"0123456789abcdef0123456789abcdef"},
    "digests": {"personal_digests": bytes(96)},
    "actor": {"actor_index": bytes(16)},
    "seal": {"seal": 3},
}


@pytest.mark.parametrize("change", list(CHANGES))
async def test_a_changed_entry_is_named(office: "Office", sealed: list[Any], change: str) -> None:
    values = CHANGES[change]
    if change == "moment":
        values = {"at": sealed[1].at - timedelta(days=1)}
    if change == "service":
        values = {"service_id": office.housing.service_id}
    async with office.app.database.transaction() as conn:
        await conn.execute(update(audit_entries).where(audit_entries.c.id == sealed[1].id).values(**values))

    named = {entry_id for fault, entry_id in found(await looked_at(office)) if fault is Fault.CHANGED}

    assert named == {sealed[1].id}


async def remove_one(conn: Any, rows: list[Any]) -> None:
    await conn.execute(delete(audit_entries).where(audit_entries.c.id == rows[2].id))


async def add_one(conn: Any, rows: list[Any]) -> None:
    row = rows[2]._asdict() | {"id": ADDED}
    await conn.execute(insert(audit_entries), [row])


async def swap_contents(conn: Any, rows: list[Any]) -> None:
    for row, other in ((rows[0], rows[2]), (rows[2], rows[0])):
        values = {name: value for name, value in other._asdict().items() if name not in ("id", "seal")}
        await conn.execute(update(audit_entries).where(audit_entries.c.id == row.id).values(**values))


async def change_an_id(conn: Any, rows: list[Any]) -> None:
    await conn.execute(update(audit_entries).where(audit_entries.c.id == rows[2].id).values(id=ADDED))


async def remove_a_seal(conn: Any, rows: list[Any]) -> None:
    await conn.execute(delete(audit_seals).where(audit_seals.c.number == 2))


async def cut_off_the_last_seal(conn: Any, rows: list[Any]) -> None:
    await conn.execute(delete(audit_seals).where(audit_seals.c.number == 3))


async def change_a_seal(conn: Any, rows: list[Any]) -> None:
    await conn.execute(
        update(audit_seals)
        .where(audit_seals.c.number == 2)
        .values(sealed_at=rows[0].at + timedelta(seconds=1))
    )


@pytest.mark.parametrize(
    ("tamper", "findings"),
    [
        (remove_one, lambda rows: [(Fault.REMOVED, rows[2].id)]),
        (add_one, lambda rows: [(Fault.ADDED, ADDED)]),
        (swap_contents, lambda rows: [(Fault.SWAPPED, rows[0].id), (Fault.SWAPPED, rows[2].id)]),
        (change_an_id, lambda rows: [(Fault.ADDED, ADDED), (Fault.REMOVED, rows[2].id)]),
        (remove_a_seal, lambda rows: [(Fault.SEAL_REMOVED, 2)]),
        (cut_off_the_last_seal, lambda rows: [(Fault.SEAL_REMOVED, 3)]),
        (change_a_seal, lambda rows: [(Fault.SEAL_CHANGED, 2)]),
    ],
    ids=lambda each: each.__name__ if each.__name__ != "<lambda>" else "",
)
async def test_tampering_is_found_and_named(
    office: "Office", sealed: list[Any], tamper: Tamper, findings: Callable[[list[Any]], Any]
) -> None:
    async with office.app.database.transaction() as conn:
        await tamper(conn, sealed)

    assert found(await looked_at(office)) == findings(sealed)


async def test_an_entry_that_is_slipped_in_later_is_found_once_it_is_sealed(
    office: "Office", sealed: list[Any]
) -> None:
    """It looks as one that was appended; but it says that it is older than what was sealed before it."""
    forged = sealed[0]._asdict() | {"id": ADDED, "seal": None}
    async with office.app.database.transaction() as conn:
        await conn.execute(insert(audit_entries), [forged])
    assert await seal_all(office) == 1

    assert found(await looked_at(office)) == [(Fault.ADDED, ADDED)]


async def test_an_entry_that_is_dated_back_is_found_once_it_is_sealed(
    office: "Office", sealed: list[Any]
) -> None:
    dated = new_id()
    values = {"id": dated, "seal": None, "at": office.now - timedelta(days=3)}
    async with office.app.database.transaction() as conn:
        await conn.execute(insert(audit_entries), [sealed[0]._asdict() | values])
    await seal_all(office)

    assert found(await looked_at(office)) == [(Fault.ADDED, dated)]


async def test_a_chain_that_was_made_anew_without_the_secret_is_found(
    office: "Office", sealed: list[Any]
) -> None:
    """Whoever has the database alone can change an entry and chain all of it again, but not sign it."""
    head = (await looked_at(office)).head
    async with office.app.database.transaction() as conn:
        await conn.execute(
            update(audit_entries).where(audit_entries.c.id == sealed[1].id).values(detail="Approved")
        )
        await conn.execute(delete(audit_seals))
        await conn.execute(update(audit_entries).values(seal=None))
    forger = Vault("another secret of more than 32 characters")
    await seal_entries(office.app.database, vault=forger, now=office.now)

    report = await looked_at(office, head=Head.of(head or ""))

    assert found(report) == [(Fault.HEAD_NOT_FOUND, 3), (Fault.SEAL_CHANGED, 1)]


async def test_what_is_cut_off_at_the_end_is_found_by_a_head_that_was_kept(
    office: "Office", sealed: list[Any]
) -> None:
    head = (await looked_at(office)).head
    async with office.app.database.transaction() as conn:
        await conn.execute(delete(audit_seals).where(audit_seals.c.number == 3))
        await conn.execute(delete(audit_entries).where(audit_entries.c.seal == 3))

    assert found(await looked_at(office)) == []
    assert found(await looked_at(office, head=Head.of(head or ""))) == [(Fault.HEAD_NOT_FOUND, 3)]


@pytest.mark.parametrize("names", [("note",), ("actor", "note", "ip"), ("ip", "nothing")])
async def test_that_a_personal_value_is_given_up_is_no_tampering(
    office: "Office", sealed: list[Any], names: tuple[str, ...]
) -> None:
    known = [name for name in names if name != "nothing"]
    async with office.app.database.transaction() as conn:
        gone = await give_up_values(conn, [sealed[1].id], names=names, vault=office.app.vault)

    report = await looked_at(office)
    async with office.app.database.reading() as conn:
        filters = audit.TrailFilters(notification_id=sealed[1].notification_id, kind=audit.Kind.ACTION)
        (entry,) = (await audit.find_entries(conn, filters, vault=office.app.vault)).items

    assert (gone, report.values_given_up, report.findings) == (len(known), len(known), [])
    assert [name for name in ("actor", "note", "ip") if getattr(entry, name) is None] == known


async def test_another_value_in_its_place_is_tampering(office: "Office", sealed: list[Any]) -> None:
    """Also by somebody who has the secret: the digest that was sealed is of another value."""
    forged = salted(actor="joe@hackney.gov.uk", note="something else", ip="192.0.2.1")
    async with office.app.database.transaction() as conn:
        await conn.execute(
            update(audit_entries)
            .where(audit_entries.c.id == sealed[1].id)
            .values(personal=seal_values(office.app.vault, sealed[1].id, forged))
        )

    assert found(await looked_at(office)) == [(Fault.CHANGED, sealed[1].id)]


async def test_what_commits_late_is_sealed_with_the_next(postgres_office: "Office") -> None:
    """Its id was drawn before others that are sealed already."""
    office = postgres_office
    database: Database = office.app.database
    async with database.transaction() as late:
        entry = audit.Entry(audit.Kind.REPLAYED, office.now, new_id(), office.repairs.service_id)
        await audit.record(late, [entry], vault=office.app.vault)
        await office.create(office.screen())
        assert await seal_all(office) == 1
    assert await seal_all(office) == 1

    rows = await entries(office)
    assert [(row.kind, row.seal) for row in rows] == [("replayed", 2), ("accepted", 1)]
    assert (await looked_at(office)).findings == []


async def test_of_sealers_at_once_one_seals(office: "Office") -> None:
    for _ in range(8):
        await office.create(office.screen())

    done = await asyncio.gather(*(seal_all(office) for _ in range(4)))

    async with office.app.database.reading() as conn:
        seals = (await conn.execute(select(audit_seals.c.number, audit_seals.c.entries))).all()
    assert sorted(done) == [0, 0, 0, 8]
    assert [tuple(each) for each in seals] == [(1, 8)]


async def test_many_are_sealed_in_batches(office: "Office") -> None:
    notification_id, now = new_id(), office.now
    many = [
        audit.Entry(audit.Kind.ENDED, now, notification_id, office.repairs.service_id)
        for _ in range(seal.AT_ONCE * 2 + 1)
    ]
    async with office.app.database.transaction() as conn:
        await audit.record(conn, many, vault=office.app.vault)

    assert await seal_all(office) == len(many)

    report = await looked_at(office)
    assert (report.seals, report.entries, report.findings) == (3, len(many), [])


@pytest.mark.parametrize("text", ["", "1", "x:00", "1:zz", "0:" + "00" * 32, "1:" + "00" * 31])
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of one line that can be nothing else
        Head.of(text)
