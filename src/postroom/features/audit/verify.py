"""Whether the audit is what it was when it was sealed, and which entry is not."""

from collections.abc import AsyncIterator, Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, exists, func, select

from postroom.features.audit.chain import BEGINNING, content_of, digest_of, head_of, seal_hash, unpack
from postroom.features.audit.report import Changed, Fault, Finding, Head, Report, swapped
from postroom.features.audit.seal import mac_of
from postroom.features.audit.store import audit_entries, audit_seals
from postroom.features.audit.values import actor_index, given_up, open_values
from postroom.kit.crypto import CannotOpen, Vault
from postroom.kit.database import AsyncConnection, Database
from postroom.kit.ids import moment_of

_LATE = timedelta(minutes=15)
"""So long nothing takes from its beginning to its commit: what seems to was put there afterwards."""
_SEALS_AT_ONCE = 20
_EPOCH = moment_of("0" * 32)


async def verify(database: Database, *, vault: Vault, head: Head | None = None) -> Report:
    """Look at every seal and every entry. It reads the whole audit, some thousand entries at a time.

    What is sealed meanwhile is left for the next time.
    """
    report = Report()
    async with database.reading() as conn:
        last = await conn.scalar(select(func.max(audit_seals.c.number))) or 0
        rows_of = await _rows_by_seal(conn)
    chain = _Chain(vault=vault, report=report)
    async for seals in _all_seals(database, last=last):
        async with database.reading() as conn:
            for seal in seals:
                chain.check_seal(seal)
                await _check_entries(conn, seal, chain, rows_of.get(seal.number, 0))
    async with database.reading() as conn:
        await _find_without_seal(conn, report)
        unsealed = select(func.count()).select_from(audit_entries).where(audit_entries.c.seal.is_(None))
        report.unsealed = await conn.scalar(unsealed) or 0
    report.findings += swapped(chain.changed)
    if head is not None and not await _has(database, head):
        report.findings.append(Finding(Fault.HEAD_NOT_FOUND, seal=head.number))
    return report


class _Chain:
    """Goes along the seals, in their order."""

    def __init__(self, *, vault: Vault, report: Report) -> None:
        self.vault = vault
        self.report = report
        self.changed: list[Changed] = []
        self._number, self._hash = 0, BEGINNING
        self._sealed_at = self._newest = _EPOCH
        self._sealed_before = _EPOCH

    def check_seal(self, seal: Row[Any]) -> None:
        gone = range(self._number + 1, seal.number)
        self.report.findings += [Finding(Fault.SEAL_REMOVED, seal=number) for number in gone]
        made = bytes(seal.hash)
        expected = seal_hash(
            number=seal.number, sealed_at=seal.sealed_at, packed=bytes(seal.digests), before=self._hash
        )
        is_right = (made == expected or bool(gone)) and bytes(seal.mac) == mac_of(
            self.vault, seal.number, made
        )
        if not is_right:
            self.report.findings.append(Finding(Fault.SEAL_CHANGED, seal=seal.number))
        self._number, self._hash = seal.number, made
        self._sealed_before, self._sealed_at = self._sealed_at, seal.sealed_at
        self.report.seals += 1
        self.report.head = head_of(seal.number, made)

    def check_times(self, seal: int, rows: Collection[Row[Any]]) -> None:
        """Find what says that it is older than what had been sealed before it."""
        until = min(self._newest, self._sealed_before) - _LATE
        self.report.findings += [
            Finding(Fault.ADDED, seal=seal, entry_id=row.id)
            for row in rows
            if moment_of(row.id) < until or row.at < moment_of(row.id) - _LATE
        ]
        self._newest = max([self._newest, *(moment_of(row.id) for row in rows)])

    def check_entry(self, row: Row[Any], *, seal: int, expected: bytes) -> None:
        content = content_of(row)
        if row.seal != seal or digest_of(row.id, content) != expected:
            self.changed.append(Changed(row.id, seal, expected, content))
        elif (gone := self._values_given_up(row)) is None:
            self.report.findings.append(Finding(Fault.CHANGED, seal=seal, entry_id=row.id))
        else:
            self.report.values_given_up += gone

    def _values_given_up(self, row: Row[Any]) -> int | None:
        """How many personal values are there no longer; None where one is another than it was."""
        if row.personal_digests is None:
            # Without values, or of a time when they were not covered.
            return 0
        try:
            values = open_values(self.vault, row.id, row.personal)
        except CannotOpen:
            return None
        gone = given_up(values, bytes(row.personal_digests))
        actor = values.text("actor")
        index = None if actor is None else actor_index(self.vault, actor)
        kept = None if row.actor_index is None else bytes(row.actor_index)
        return None if gone is None or kept != index else len(gone)


async def _check_entries(conn: AsyncConnection, seal: Row[Any], chain: _Chain, rows: int) -> None:
    """Each entry of a seal: whether it is there, as it was, and nothing beside it."""
    expected = unpack(bytes(seal.digests))
    wanted = select(audit_entries).where(audit_entries.c.id.in_(list(expected)))
    found = {row.id: row for row in await conn.execute(wanted)}
    report = chain.report
    report.entries += len(found)
    for entry_id, digest in expected.items():
        if entry_id not in found:
            report.findings.append(Finding(Fault.REMOVED, seal=seal.number, entry_id=entry_id))
        else:
            chain.check_entry(found[entry_id], seal=seal.number, expected=digest)
    chain.check_times(seal.number, found.values())
    if rows > sum(row.seal == seal.number for row in found.values()):
        own = await conn.scalars(select(audit_entries.c.id).where(audit_entries.c.seal == seal.number))
        report.findings += [
            Finding(Fault.ADDED, seal=seal.number, entry_id=entry_id)
            for entry_id in own
            if entry_id not in expected
        ]


async def _all_seals(database: Database, *, last: int) -> AsyncIterator[list[Row[Any]]]:
    """All up to the last, in their order."""
    number = audit_seals.c.number
    after = 0
    while True:
        some = select(audit_seals).where(number > after, number <= last).order_by(number)
        async with database.reading() as conn:
            rows = list(await conn.execute(some.limit(_SEALS_AT_ONCE)))
        if not rows:
            return
        yield rows
        after = rows[-1].number


async def _has(database: Database, head: Head) -> bool:
    async with database.reading() as conn:
        hashed = await conn.scalar(select(audit_seals.c.hash).where(audit_seals.c.number == head.number))
    return hashed is not None and bytes(hashed) == head.hash


async def _rows_by_seal(conn: AsyncConnection) -> dict[int, int]:
    counted = select(audit_entries.c.seal, func.count().label("rows")).group_by(audit_entries.c.seal)
    return {row.seal: row.rows for row in await conn.execute(counted) if row.seal is not None}


async def _find_without_seal(conn: AsyncConnection, report: Report) -> None:
    """Numbers of seals that entries name and that are not there."""
    is_there = exists().where(audit_seals.c.number == audit_entries.c.seal)
    named = select(audit_entries.c.seal).where(audit_entries.c.seal.is_not(None), ~is_there).distinct()
    known = {finding.seal for finding in report.findings if finding.fault is Fault.SEAL_REMOVED}
    report.findings += [
        Finding(Fault.SEAL_REMOVED, seal=number)
        for number in sorted(await conn.scalars(named))
        if number not in known
    ]
