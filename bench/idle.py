"""How long a text takes to the provider's door when there is nothing else to do.

API and worker in one process (`postroom serve`) on both databases, and apart on PostgreSQL. From before the
POST is written to the arrival of the call at the stub, each after a pause.
"""

from collections.abc import Iterator
from contextlib import ExitStack

from bench.figures import Figure, below, percentile
from bench.office import doors, prepare
from bench.options import Bench
from bench.stub import Stub, stub
from bench.waiting import in_milliseconds, waits_of_texts

AIM_MS = 50
_TEXTS = 200
_FIRST = 10
_EVERY_SECONDS = 0.04
_TOGETHER, _APART = ("api+worker",), ("api", "worker")


def measure(bench: Bench) -> Iterator[Figure]:
    with stub(bench.place) as notify:
        for kind in bench.databases:
            for processes in (_TOGETHER, _APART) if kind == "postgres" else (_TOGETHER,):
                yield _idle(bench, kind, processes, notify)


def _idle(bench: Bench, kind: str, processes: tuple[str, ...], notify: Stub) -> Figure:
    with bench.databases_of(kind, 1) as (url,), ExitStack() as stack:
        office = prepare(url, notify_url=notify.url)
        notify.forget()
        api, *_ = [stack.enter_context(doors(office, each, place=bench.place)) for each in processes]
        waits = waits_of_texts(office, api.port, notify, number=_TEXTS + _FIRST, every=_EVERY_SECONDS)
    # The first ones open connections and read the templates.
    found = in_milliseconds(waits[_FIRST:])
    where = "apart" if processes == _APART else "in one"
    return below(
        AIM_MS,
        f"idle, POST to provider, p99, {kind}, {where}",
        percentile(found, 99),
        unit="ms",
        p50_ms=percentile(found, 50),
    )
