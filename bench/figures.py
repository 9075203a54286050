"""What a measure says: one line of the table, and the same in JSON."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
HEAD = ("measure", "ours", "floor", "ratio", "aim", "good")


@dataclass(frozen=True)
class Figure:
    """One measured thing. `good` is None where nothing is aimed at; `details` are for the JSON alone."""

    name: str
    ours: float
    unit: str
    floor: float | None = None
    ratio: float | None = None
    aim: str = ""
    good: bool | None = None
    details: dict[str, Any] = field(default_factory=dict)


def at_least(
    aim: float, name: str, *, unit: str, pairs: Sequence[tuple[float, float]], **details: Any
) -> Figure:
    """Rates of ours and of the floor, in pairs of neighbours: what else the machine does then slows both."""
    shown = beside(name, unit=unit, pairs=pairs, **details)
    return replace(shown, aim=f"≥ {aim:.2f}", good=shown.ratio is not None and shown.ratio >= aim)


def beside(name: str, *, unit: str, pairs: Sequence[tuple[float, float]], **details: Any) -> Figure:
    """As `at_least`, where nothing is aimed at."""
    return Figure(
        name,
        middle([ours for ours, _ in pairs]),
        unit,
        floor=middle([floor for _, floor in pairs]),
        ratio=middle([ours / floor for ours, floor in pairs]),
        details={"pairs": list(pairs), **details},
    )


def below(aim: float, name: str, value: float, *, unit: str, **details: Any) -> Figure:
    return Figure(name, value, unit, aim=f"< {aim:g} {unit}", good=value < aim, details=details)


def middle(values: Sequence[float]) -> float:
    return percentile(values, 50)


def percentile(values: Sequence[float], of_hundred: float) -> float:
    """The value that so many of a hundred do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * of_hundred / 100), len(ordered) - 1)]


def table(figures: Sequence[Figure]) -> str:
    rows = [HEAD, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    aligned: list[Callable[[str, int], str]] = [str.ljust, *[str.rjust] * 4, str.ljust]
    lines = [
        "  ".join(put(cell, width) for put, cell, width in zip(aligned, row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def _row(figure: Figure) -> tuple[str, ...]:
    return (
        figure.name,
        f"{_short(figure.ours)} {figure.unit}",
        "" if figure.floor is None else _short(figure.floor),
        "" if figure.ratio is None else f"{figure.ratio:.2f}",
        figure.aim,
        {True: "yes", False: "NO", None: ""}[figure.good],
    )


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def write(figures: Sequence[Figure]) -> Path:
    RESULTS.mkdir(exist_ok=True)
    now = datetime.now(UTC)
    path = RESULTS / f"{now:%Y%m%dT%H%M%S}.json"
    said = {
        "at": now.isoformat(),
        "cpus": os.cpu_count(),
        "load": os.getloadavg()[0],
        "figures": [asdict(figure) for figure in figures],
    }
    path.write_text(json.dumps(said, indent=2, ensure_ascii=False) + "\n")
    return path
