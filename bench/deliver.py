"""How many accepted emails a second one worker sends to a provider that answers after 20 ms.

The floor is bare PgQueuer: as many slots, the same call to the same stub, nothing else recorded
(bench/floors/deliver.py). It fetches a job when a slot is free for it, as it comes; Postroom's worker fetches
a batch before that (docs/decisions/0030), and has no more in hand for it. SQLite is measured beside it too,
and, with no aim, beside a loop over a table that marks what it has done and knows neither leases nor lanes
nor limits. Both drain what was put in before they start. A rate is that of the arrivals at the stub between
the first and the last twentieth of them.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import asyncpg
from sqlalchemy import text

from bench.figures import Figure, at_least, below, beside, middle
from bench.office import Office, accept_many, doors, prepare
from bench.options import Bench
from bench.servers import running
from bench.stub import Stub, stub
from postroom.kit.database import open_database

AIM = 0.70
APART_AIM = 1.10
MEMORY_AIM_MB = 100
_PATIENCE_SECONDS = 300
_WARM_AFTER = 4
"""CPU is counted after a fourth of the deliveries: that a process opens its connections and prepares its
statements is no part of what a delivery costs."""
_WAITING = (
    "SELECT wait_event, left(query, 60) AS query FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def measure(bench: Bench) -> Iterator[Figure]:
    with stub(bench.place) as notify:
        for kind in bench.databases:
            alone: list[float] = []
            pairs, loops = [], []
            for _ in range(bench.rounds):
                floor = _floor(bench, "postgres", notify)
                rate, cpu_us, _ = _drain(bench, kind, notify, workers=1, number=bench.deliveries)
                pairs.append((rate, floor))
                alone.append(cpu_us)
                if kind == "sqlite":
                    loops.append((rate, _floor(bench, kind, notify)))
            yield at_least(AIM, f"deliver, {kind}", unit="a second", pairs=pairs, cpu_us=middle(alone))
            if kind == "postgres":
                yield from _two_workers(bench, notify, alone)
            else:
                yield beside("deliver, sqlite, beside a bare loop", unit="a second", pairs=loops)
            if bench.large:
                yield _memory(bench, kind, notify)


def _two_workers(bench: Bench, notify: Stub, alone: Sequence[float]) -> Iterator[Figure]:
    """What a second worker costs on the same cores: CPU for each delivery, and waits for locks."""
    with_two = [
        _drain(bench, "postgres", notify, workers=2, number=bench.deliveries) for _ in range(bench.rounds)
    ]
    one, two = middle(alone), middle([cpu_us for _, cpu_us, _ in with_two])
    yield Figure(
        "CPU a delivery: two workers, beside one",
        two,
        "µs",
        floor=one,
        ratio=two / one,
        aim=f"≤ {APART_AIM:.2f}",
        good=two / one <= APART_AIM,
        details={"rates": [rate for rate, _, _ in with_two]},
    )
    waits = [each for _, _, waits in with_two for each in waits]
    # "object" is what PostgreSQL's NOTIFY passes through at a commit, the bare engine's too.
    ours = [each for each in waits if not each.startswith("object:")]
    yield Figure(
        "waits for rows seen with two workers", len(ours), "", aim="0", good=not ours, details={"all": waits}
    )


def _memory(bench: Bench, kind: str, notify: Stub) -> Figure:
    with bench.databases_of(kind, 1) as (url,):
        office = prepare(url, notify_url=notify.url)
        accept_many(office, bench.many_deliveries)
        notify.forget()
        with doors(office, _door(kind), place=bench.place) as worker:
            _await_arrivals(notify, bench.many_deliveries)
            peak = worker.most_memory_mb()
    return below(
        MEMORY_AIM_MB, f"worker's memory, {bench.many_deliveries:,} drained, {kind}", peak, unit="MB"
    )


def _door(kind: str) -> str:
    """On SQLite one process does all."""
    return "worker" if kind == "postgres" else "api+worker"


def _drain(
    bench: Bench, kind: str, notify: Stub, *, workers: int, number: int
) -> tuple[float, float, list[str]]:
    """Deliveries a second, CPU µs of the workers for each, and the locks that one was seen to wait for."""
    with bench.databases_of(kind, 1) as (url,), ExitStack() as stack:
        office = prepare(url, notify_url=notify.url)
        accept_many(office, number)
        notify.forget()
        processes = [
            stack.enter_context(doors(office, _door(kind), place=bench.place)) for _ in range(workers)
        ]
        watched = url if workers > 1 else None
        waits = _await_arrivals(notify, number // _WARM_AFTER, watched)
        sent, spent = notify.count(), sum(process.cpu_seconds() for process in processes)
        waits += _await_arrivals(notify, number, watched)
        _await_records(office)
        spent = sum(process.cpu_seconds() for process in processes) - spent
        return _rate(notify, number), spent / (number - sent) * 1e6, waits


def _floor(bench: Bench, kind: str, notify: Stub) -> float:
    notify.forget()
    with bench.databases_of(kind, 1) as (url,):
        with running("bench.floors.deliver", url, notify.url, bench.deliveries, place=bench.place):
            _await_arrivals(notify, bench.deliveries)
        return _rate(notify, bench.deliveries)


def _rate(notify: Stub, number: int) -> float:
    moments = [at for _, at in notify.arrivals()]
    if len(moments) != number:
        raise SystemExit(f"{len(moments)} sends for {number} deliveries")
    edge = number // 20
    return (number - 2 * edge - 1) / (moments[-1 - edge] - moments[edge])


def _await_arrivals(notify: Stub, number: int, locks_of: str | None = None) -> list[str]:
    """Wait until all have come; the locks that somebody was seen waiting for in `locks_of`."""
    until = time.monotonic() + _PATIENCE_SECONDS

    async def watch() -> list[str]:
        seen: list[str] = []
        connection = None if locks_of is None else await asyncpg.connect(locks_of)
        while notify.count() < number:
            if time.monotonic() > until:
                raise SystemExit(f"only {notify.count()} of {number} deliveries were sent")
            if connection is not None:
                waiting = await connection.fetch(_WAITING)
                seen += [f"{row['wait_event']}: {row['query']}" for row in waiting]
            await asyncio.sleep(0.05)
        if connection is not None:
            await connection.close()
        return seen

    return asyncio.run(watch())


def _await_records(office: Office) -> None:
    """Wait until what was answered is recorded."""

    async def watch() -> None:
        database = open_database(office.url)
        pending = text("SELECT count(*) FROM deliveries WHERE status = 'pending'")
        async with asyncio.timeout(30):
            while True:
                async with database.reading() as conn:
                    if await conn.scalar(pending) == 0:
                        break
                await asyncio.sleep(0.05)
        await database.close()

    asyncio.run(watch())
