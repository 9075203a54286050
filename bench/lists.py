"""How long a page of a list takes at 10,000 rows, at a million and, with --large, at 10 million.

Each case is asked of the small and of the large table in turn, in this process, by `find_page` in a reading
transaction, which is what GET /notifications does but for HTTP. Each time it is another target, officer or
place in the list. A page holds 50. The tables are filled by the database itself: half of the rows are one
service's, every 20 rows of it share a target, 150 groups and officers are addressed by turns, every third
row of a service has an email, and one of ten asks for an action. Personal data is sealed once for all
rows and opened for each that is shown. Counts of an officer are of all that addresses them or their groups.
"""

import asyncio
import random
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import NullPool, text

from bench.figures import Figure, middle, percentile
from bench.options import Bench
from bench.rows import counted, fill, id_of, the_id
from postroom.app import migrate_database
from postroom.domain.caller import Caller, Person, ServiceCaller
from postroom.domain.notification import Personal
from postroom.features.notifications.find import Filters, count_found, find_page
from postroom.features.notifications.seal import audience_index, open_personal, seal_personal
from postroom.kit.crypto import Vault, new_secret
from postroom.kit.database import AsyncConnection, Database, open_database
from postroom.kit.database.asynchronous import create_async_engine

SMALL = 10_000
AIM = 1.3
_NOTIFICATION, _DELIVERY = 1, 2
_SERVICE, _OTHER = "0198a0b0-0000-7000-8000-000000000001", "0198a0b0-0000-7000-8000-000000000002"
_AUDIENCES = 150
_QUIET = 10
_ROWS_A_TARGET = 20
_CALLS = 150
_WARM_UP = 15

Case = Callable[[random.Random, int], tuple[Caller, Filters]]
"""Who asks, and for what, in a table of so many rows."""


class OneForAll(Vault):
    """A vault whose seals open in every row: the database fills in one value a million times."""

    def seal(self, value: bytes, *, row: str, column: str) -> bytes:
        return super().seal(value, row="", column=column)

    def open(self, sealed: bytes, *, row: str, column: str) -> bytes:
        return super().open(sealed, row="", column=column)


def measure(bench: Bench) -> Iterator[Figure]:
    sizes = [1_000_000, 10_000_000] if bench.large else [1_000_000]
    for size in sizes:
        for kind in bench.databases:
            with bench.databases_of(kind, 2) as (small, large):
                yield from asyncio.run(_compare(kind, small, large, size))


async def _compare(kind: str, small_url: str, large_url: str, size: int) -> list[Figure]:
    vault = OneForAll(new_secret())
    figures = []
    async with _filled(small_url, SMALL, vault) as small, _filled(large_url, size, vault) as large:
        for name, case in CASES.items():
            times: dict[int, list[float]] = {SMALL: [], size: []}
            for call in range(_CALLS + _WARM_UP):
                for database, rows in ((small, SMALL), (large, size)):
                    took = await _time(database, vault, case, random.Random(call), rows)
                    if call >= _WARM_UP:
                        times[rows].append(took * 1000)
            figures.append(_figure(f"{name}, {size // 1_000_000} M rows, {kind}", times[size], times[SMALL]))
    return figures


def _figure(name: str, large: Sequence[float], small: Sequence[float]) -> Figure:
    ratio = middle(large) / middle(small)
    p95 = {"p95_ms": percentile(large, 95), "p95_ms_small": percentile(small, 95)}
    return Figure(
        name,
        middle(large),
        "ms",
        floor=middle(small),
        ratio=ratio,
        aim=f"≤ {AIM:.2f}",
        good=ratio <= AIM,
        details=p95,
    )


async def _time(database: Database, vault: Vault, case: Case, chance: random.Random, rows: int) -> float:
    """Seconds that a page takes, or a count where the case asks for one."""
    caller, filters = case(chance, rows)
    now = datetime.now(UTC)
    began = time.perf_counter()
    async with database.reading() as conn:
        if case in COUNTS:
            counted = await count_found(conn, filters, caller=caller, vault=vault, now=now)
            found = counted.number if counted.is_exact else 0
        else:
            found = len((await find_page(conn, filters, caller=caller, vault=vault, now=now)).items)
    took = time.perf_counter() - began
    if found < min(filters.limit, _ROWS_A_TARGET // 2):
        raise SystemExit(f"a page of {found} is none to be measured")
    return took


def _first_page(_: random.Random, rows: int) -> tuple[Caller, Filters]:
    return ServiceCaller(_SERVICE, "bench"), Filters()


def _deep_page(chance: random.Random, rows: int) -> tuple[Caller, Filters]:
    before = id_of(chance.randrange(rows // 10, rows // 2), kind=_NOTIFICATION)
    return ServiceCaller(_SERVICE, "bench"), Filters(before=before)


def _of_target(chance: random.Random, rows: int) -> tuple[Caller, Filters]:
    target = chance.randrange(rows // 2 // _ROWS_A_TARGET)
    return ServiceCaller(_SERVICE, "bench"), Filters(target_id=f"target-{target}")


def _officers(groups: int, chance: random.Random, rows: int) -> tuple[Caller, Filters]:
    first = chance.randrange(_AUDIENCES)
    names = tuple(f"team-{(first + each) % _AUDIENCES}" for each in range(groups))
    return Person(f"officer-{first}@hackney.gov.uk", names), Filters()


def _officers_deep(groups: int, chance: random.Random, rows: int) -> tuple[Caller, Filters]:
    caller, filters = _officers(groups, chance, rows)
    return caller, replace(filters, before=id_of(rows * 7 // 10, kind=_NOTIFICATION))


def _officers_quiet(chance: random.Random, rows: int) -> tuple[Caller, Filters]:
    """Of groups that have heard nothing since the first tenth of the table."""
    first = chance.randrange(_QUIET)
    names = tuple(f"quiet-{(first + each) % _QUIET}" for each in range(8))
    return Person("officer-new@hackney.gov.uk", names), Filters()


def _officers_unread(chance: random.Random, rows: int) -> tuple[Caller, Filters]:
    caller, filters = _officers(20, chance, rows)
    return caller, replace(filters, is_read=False)


def _officers_work(chance: random.Random, rows: int) -> tuple[Caller, Filters]:
    """What still needs somebody's decision."""
    caller, filters = _officers(20, chance, rows)
    return caller, replace(filters, outstanding=True)


def _count_of_officer(chance: random.Random, rows: int) -> tuple[Caller, Filters]:
    return _officers(20, chance, rows)


def _count_unread(chance: random.Random, rows: int) -> tuple[Caller, Filters]:
    return _officers_unread(chance, rows)


def _count(chance: random.Random, rows: int) -> tuple[Caller, Filters]:
    return _of_target(chance, rows)


CASES: dict[str, Case] = {
    "first page": _first_page,
    "page deep in the list": _deep_page,
    "page of a target": _of_target,
    "an officer's, 1 group": partial(_officers, 1),
    "an officer's, 8 groups": partial(_officers, 8),
    "an officer's, 20 groups": partial(_officers, 20),
    "an officer's, 20 groups, unread": _officers_unread,
    "an officer's, 20 groups, needs action": _officers_work,
    "an officer's, 8 groups, deep": partial(_officers_deep, 8),
    "an officer's, 8 quiet groups": _officers_quiet,
    "count of a target": _count,
    "count of an officer's, 20 groups": _count_of_officer,
    "count of an officer's unread, 20 groups": _count_unread,
}
COUNTS = frozenset({_count, _count_of_officer, _count_unread})


@asynccontextmanager
async def _filled(url: str, rows: int, vault: Vault) -> AsyncIterator[Database]:
    database = open_database(url)
    await migrate_database(database)
    personal = Personal(message="Your report is being looked at.", email="amala@example.com")
    sealed = seal_personal(vault, "", personal)
    assert open_personal(vault, "any", sealed) == personal
    try:
        await _fill(database, rows, vault, sealed)
        yield database
    finally:
        await database.close()


async def _fill(database: Database, rows: int, vault: Vault, sealed: bytes) -> None:
    """Rows first, then the indexes: one that is built at once takes a tenth of the time."""
    postgres = database.is_postgres
    async with _without_limits(database) as conn:
        indexes = await _drop_indexes(conn, postgres=postgres)
        await _write_audiences(conn, vault, postgres=postgres)
        now = "now()" if postgres else "CAST(strftime('%s') AS INTEGER) * 1000000"
        await fill(conn, _notifications(now, rows, postgres=postgres), rows=rows, sealed=sealed)
        await fill(conn, _deliveries(now, postgres=postgres), rows=rows)
        for statement in indexes:
            await conn.execute(text(statement))
        await conn.execute(text(_COUNT_ALL), {"nobody": b""})
        await conn.execute(text("ANALYZE"))
    if not postgres:
        # What is still in its log would be moved to the file while we measure, or while we close.
        with sqlite3.connect(str(database.url.database)) as beside:
            beside.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@asynccontextmanager
async def _without_limits(database: Database) -> AsyncIterator[AsyncConnection]:
    """A transaction that may take minutes; the database's own give a statement half of one."""
    if not database.is_postgres:
        async with database.transaction() as conn:
            yield conn
        return
    engine = create_async_engine(database.url, poolclass=NullPool)
    async with engine.begin() as conn:
        yield conn
    await engine.dispose()


_COUNT_ALL = (
    "INSERT INTO reader_counts (audience, reader, state, outstanding, number)"
    " SELECT audience, :nobody, 0, require_action, count(*) FROM notifications"
    " GROUP BY audience, require_action"
)


async def _drop_indexes(conn: AsyncConnection, *, postgres: bool) -> list[str]:
    """Drop what can be built again; how."""
    if postgres:
        found = "SELECT indexname, indexdef FROM pg_indexes WHERE indexname LIKE 'ix_%'"
    else:
        found = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND name LIKE 'ix_%'"
    named = (await conn.execute(text(found))).all()
    for name, _ in named:
        await conn.execute(text(f"DROP INDEX {name}"))
    return [statement for _, statement in named]


async def _write_audiences(conn: AsyncConnection, vault: Vault, *, postgres: bool) -> None:
    """By their places: each group, an officer for each, and the groups that fell quiet."""
    kind = "bytea" if postgres else "BLOB"
    await conn.execute(text(f"CREATE TEMPORARY TABLE audiences (place integer PRIMARY KEY, value {kind})"))
    names = [f"group:team-{each}" for each in range(_AUDIENCES)]
    names += [f"officer-{each}@hackney.gov.uk" for each in range(_AUDIENCES)]
    names += [f"group:quiet-{each}" for each in range(_QUIET)]
    await conn.execute(
        text("INSERT INTO audiences VALUES (:place, :value)"),
        [{"place": place, "value": audience_index(vault, name)} for place, name in enumerate(names)],
    )


def _notifications(now: str, rows: int, *, postgres: bool) -> str:
    ours, other = (_uuid(each, postgres=postgres) for each in (_SERVICE, _OTHER))
    targets = rows // 2 // _ROWS_A_TARGET
    return (
        "INSERT INTO notifications (id, service_id, target_id, target_type, channels, extra_channels,"
        " audience, template_ids, template_unchecked, require_action, personal, created_at, version)"
        f" SELECT {the_id('i', kind=_NOTIFICATION, postgres=postgres)},"
        f" CASE i % 2 WHEN 0 THEN {ours} ELSE {other} END, 'target-' || CAST(i / 2 % {targets} AS text),"
        f" 'repairs', 1, 0, audiences.value,"
        f" CASE WHEN i / 2 % 3 > 0 THEN '{{}}' ELSE '{{\"Email\"\\:\"e\"}}' END,"
        f" false, i / {2 * _AUDIENCES} % 10 = 0, :sealed, {now}, 1"
        f" FROM {counted(postgres=postgres)} JOIN audiences ON audiences.place ="
        f" CASE WHEN i < {rows // 10} AND i % 10 = 3 THEN {2 * _AUDIENCES} + i / 10 % {_QUIET}"
        f" ELSE i % {2 * _AUDIENCES} END"
    )


def _deliveries(now: str, *, postgres: bool) -> str:
    ours = _uuid(_SERVICE, postgres=postgres)
    ids = [the_id("i", kind=kind, postgres=postgres) for kind in (_DELIVERY, _NOTIFICATION)]
    return (
        "INSERT INTO deliveries (id, notification_id, service_id, credential_id, channel, template_id,"
        " status, created_at, attempts, looks, polls, sent_at, completed_at, lane)"
        f" SELECT {ids[0]}, {ids[1]}, {ours}, {ours}, 'Email', {ours}, 'delivered',"
        f" {now}, 1, 0, 0, {now}, {now}, 0"
        f" FROM {counted(postgres=postgres)} WHERE i / 2 % 3 = 0"
    )


def _uuid(value: str, *, postgres: bool) -> str:
    return f"CAST('{value}' AS uuid)" if postgres else f"'{value.replace('-', '')}'"
