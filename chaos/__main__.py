"""The fire test: a seeded run in which everything that can go wrong does, and a count of what came of it.

    python -m chaos [--seed 7] [--minutes 2] [--database sqlite] [--database postgres] [--per-second 10]

Ends with 1 where anything was lost, sent twice, or ended otherwise than the provider says. The same seed
makes the same plan. Plan, figures and faults go to chaos/results/ as JSON; where something was wrong, the
logs stay.
"""

import argparse
import asyncio
import contextlib
import random
import shutil
import signal
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from chaos.compare import Fault, compare
from chaos.plan import described, make_plan
from chaos.report import figures, table, verdict
from chaos.run import carry_out

RESULTS = Path(__file__).parent / "results"
DATABASES = ("sqlite", "postgres")


def main() -> int:
    given = _arguments()
    given.results.mkdir(parents=True, exist_ok=True)
    # What a script starts beside itself ignores Ctrl-C; a run that is told to end cleans up all the same.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with asyncio.Runner() as runner:
        verdicts = [runner.run(_until_told(given, database)) for database in given.database or DATABASES]
    for words, _ in verdicts:
        _say(words)
    return 1 if any(faults for _, faults in verdicts) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--database", action="append", choices=DATABASES, help="both, where none is named")
    parser.add_argument("--per-second", type=float, default=10, help="notifications posted, on average")
    parser.add_argument("--results", type=Path, default=RESULTS, help="a folder for plan and figures")
    parser.add_argument("--keep", action="store_true", help="keep logs and data where all was well, too")
    return parser.parse_args()


async def _until_told(given: argparse.Namespace, database: str) -> tuple[str, list[Fault]]:
    """A run that SIGTERM and SIGHUP end as Ctrl-C does: with everything cleaned up."""
    task = asyncio.create_task(_run(given, database))
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task


async def _run(given: argparse.Namespace, database: str) -> tuple[str, list[Fault]]:
    plan = make_plan(
        seed=given.seed, database=database, seconds=given.minutes * 60, per_second=given.per_second
    )
    name = f"{database}-{given.seed}-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    (given.results / f"{name}-plan.json").write_bytes(msgspec.json.format(msgspec.json.encode(plan)))
    _say(described(plan))
    place = Path(tempfile.mkdtemp(prefix="postroom-chaos-"))
    keep = given.keep
    try:
        run, evidence = await carry_out(plan, place=place, say=_say)
        faults = compare(evidence)
        said = figures(run, evidence, faults)
        result = msgspec.json.encode({"figures": said, "faults": faults, "began": run.began})
        (given.results / f"{name}.json").write_bytes(msgspec.json.format(result) + b"\n")
        keep = keep or bool(faults)
        _say(table(said, faults))
    except BaseException as error:
        keep = keep or isinstance(error, Exception)
        raise
    finally:
        if keep:
            _say(f"logs and data are kept in {place}")
        else:
            with contextlib.suppress(OSError):
                shutil.rmtree(place)
    return verdict(said, faults), faults


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        code = main()
    except (KeyboardInterrupt, asyncio.CancelledError):
        code = 130
    sys.exit(code)
