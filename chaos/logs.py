"""What the processes wrote: errors that nobody foresaw, and whether anything personal stands there."""

import json
import re
from collections import Counter
from pathlib import Path

import msgspec

_PERSONAL = re.compile(
    r"(?i)resident[ -]\d|07700 ?900\d|\+447700900\d|\+336123\d|hillman|E8 1DY|simulator\.notify"
)
"""What this run's recipients are called, and where they live."""


class Logs(msgspec.Struct, frozen=True, kw_only=True):
    errors: dict[str, int]
    """Lines of the level error, by what they tell of."""
    personal: dict[str, int]
    """Lines with something personal in them, by file."""


def read_logs(place: Path) -> Logs:
    """Of everything but the sandbox, which is the provider's."""
    errors: Counter[str] = Counter()
    personal: Counter[str] = Counter()
    for path in sorted(place.glob("*.log")):
        if path.stem == "sandbox":
            continue
        for line in path.read_text(errors="replace").splitlines():
            personal[path.name] += bool(_PERSONAL.search(line))
            errors[_error(line)] += 1
    errors.pop("", None)
    return Logs(errors=dict(errors), personal={name: count for name, count in personal.items() if count})


def _error(line: str) -> str:
    """What an error tells of, nothing for any other line."""
    if line.startswith("Traceback"):
        return "traceback"
    try:
        read = json.loads(line)
    except ValueError:
        return ""
    if not isinstance(read, dict) or read.get("level") not in ("error", "critical"):
        return ""
    return f"{read.get('event')} ({read.get('error', 'no exception')})"
