"""How long a single text waits while 10,000 of a bulk are being sent.

Once with the provider's limits off, for the first five seconds, and once where it takes 3,000 a minute, for
the first three quarters of a minute. API and worker in one process; the bulk was accepted before they
start.
"""

from collections.abc import Iterator

from bench.figures import Figure, below, percentile
from bench.office import accept_many, doors, prepare
from bench.options import Bench
from bench.stub import Stub, stub
from bench.waiting import in_milliseconds, waits_of_texts
from postroom.domain.lane import Lane

AIM_SECONDS = 5
BULK = 10_000
_USUAL_A_MINUTE = 3_000
_EVERY_SECONDS = 0.1
_UNLIMITED_SECONDS = 5
_LIMITED_SECONDS = 45


def measure(bench: Bench) -> Iterator[Figure]:
    with stub(bench.place) as notify:
        for kind in bench.databases:
            yield _single(bench, kind, notify, a_minute=None)
            if kind == "postgres" or bench.large:
                yield _single(bench, kind, notify, a_minute=_USUAL_A_MINUTE)


def _single(bench: Bench, kind: str, notify: Stub, *, a_minute: int | None) -> Figure:
    with bench.databases_of(kind, 1) as (url,):
        office = prepare(url, notify_url=notify.url, a_minute=a_minute)
        accept_many(office, BULK, lane=Lane.BULK)
        notify.forget()
        with doors(office, "api+worker", place=bench.place) as both:
            seconds = _UNLIMITED_SECONDS if a_minute is None else _LIMITED_SECONDS
            waits = waits_of_texts(
                office, both.port, notify, number=BULK, every=_EVERY_SECONDS, seconds=seconds
            )
            came = notify.count() - len(waits)
    if came >= BULK * 0.95:
        raise SystemExit("the bulk was through before the texts were")
    waits = in_milliseconds(waits)
    limits = "limits off" if a_minute is None else f"{a_minute:,} a minute"
    return below(
        AIM_SECONDS * 1000,
        f"single text during a bulk, p95, {kind}, {limits}",
        percentile(waits, 95),
        unit="ms",
        p50_ms=percentile(waits, 50),
        texts=len(waits),
        of_the_bulk=came,
    )
