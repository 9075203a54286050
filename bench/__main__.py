"""Measures Postroom, each thing beside its floor in the same run; prints one table, writes one JSON file.

    python -m bench [accept deliver receipts lists authorise idle lane pages mark
                    streams sandbox]
                    [--database sqlite|postgres] [--rounds 2] [--seconds 3]
                    [--postgres postgresql://…] [--large]

Without names it measures all of them. Ours and the floor work in processes of their own, in turn and again,
so that a busy machine troubles both: a ratio is the middle one of those of neighbours in time. PostgreSQL
is started for the while, with fsync on, unless a server is named. `--large` adds lists of 10 million rows,
the worker's memory over 100,000 deliveries, and a provider's usual limit on SQLite: half an hour, 30 GB of
disk. Ends with 1 where an aim is missed. What the measures are: each one's module says it.
"""

import argparse
import functools
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil

from bench import accept, authorise, deliver, idle, lane, lists, mark, pages, receipts, sandbox, streams
from bench.figures import Figure, table, write
from bench.options import Bench
from bench.servers import postgres

MEASURES: Mapping[str, Callable[[Bench], Iterator[Figure]]] = {
    "accept": accept.measure,
    "deliver": deliver.measure,
    "receipts": receipts.measure,
    "lists": lists.measure,
    "authorise": authorise.measure,
    "idle": idle.measure,
    "lane": lane.measure,
    "pages": pages.measure,
    "mark": mark.measure,
    "streams": streams.measure,
    "sandbox": sandbox.measure,
}


def main() -> int:
    given = _arguments()
    figures: list[Figure] = []
    began = psutil.cpu_times()
    with tempfile.TemporaryDirectory(prefix="postroom-bench-") as name, ExitStack() as stack:
        place = Path(name)
        bench = Bench(
            place=place,
            postgres=functools.cache(lambda: given.postgres or stack.enter_context(postgres(place))),
            databases=given.database or ("sqlite", "postgres"),
            rounds=given.rounds,
            seconds=given.seconds,
            large=given.large,
        )
        try:
            for measure in given.measures or MEASURES:
                _measure(measure, bench, figures)
        finally:
            # What was measured in half an hour is not lost to what goes wrong after it.
            _show(figures, stolen=_stolen_since(began))
    return 1 if any(figure.good is False for figure in figures) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("measures", nargs="*", metavar="measure", help=", ".join(MEASURES))
    parser.add_argument("--database", action="append", choices=("sqlite", "postgres"))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3, help="of load in each round")
    parser.add_argument("--postgres", help="a server's URL without a database; else one is started")
    parser.add_argument("--large", action="store_true")
    given = parser.parse_args()
    if unknown := [name for name in given.measures if name not in MEASURES]:
        parser.error(f"there is no measure named {unknown[0]}")
    return given


def _measure(name: str, bench: Bench, figures: list[Figure]) -> None:
    print(f"{name} …", end=" ", file=sys.stderr, flush=True)
    began = time.monotonic()
    figures.extend(MEASURES[name](bench))
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def _stolen_since(began: Any) -> float:
    """The share of the CPUs' time that the machine below gave to others meanwhile."""
    now = psutil.cpu_times()
    spent = sum(getattr(now, name) - getattr(began, name) for name in now._fields)
    return (getattr(now, "steal", 0) - getattr(began, "steal", 0)) / spent


def _show(figures: Sequence[Figure], *, stolen: float) -> None:
    print(table(figures))
    load, number = os.getloadavg()[0], os.cpu_count()
    print(f"load average {load:.1f} on {number} CPUs; {stolen:.0%} of their time was stolen")
    print(f"in full: {write(figures).relative_to(Path(__file__).parents[1])}")


if __name__ == "__main__":
    sys.exit(main())
