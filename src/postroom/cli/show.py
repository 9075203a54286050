"""What the commands print."""

import json
import sys
from collections.abc import Sequence
from typing import Any

_WIDE = 250


def line(text: str) -> None:
    print(text)


def at_once(text: str) -> None:
    """A line that whoever reads on sees now."""
    print(text, flush=True)


def error(text: str) -> None:
    print(text, file=sys.stderr)


def as_json(value: Any) -> None:
    print(json.dumps(value, indent=2))


def table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table for people. Where the output is no terminal, as wide as it needs."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    made = Table(*headers, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        made.add_row(*(Text("" if value is None else str(value)) for value in row))
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDE)
    console.print(made)


def demo(description: dict[str, Any]) -> None:
    """Where the demo is, how to send the first message, and where to see it."""
    url, key = description["url"], description["apiKey"]
    body = {
        "notificationType": "Email",
        "serviceKey": description["service"],
        "templateId": description["templates"]["email"],
        "email": "amala@example.com",
        "personalisationParams": {"name": "Amala", "ref": "X1"},
    }
    print(
        f"""
Postroom answers at {url}          (try the API: {url}/docs)
The sandbox of GOV.UK Notify at {description["sandbox"]["url"]}

The pages for people at {url}/inbox        (sign in as whom you like)
The bell, live, for all of them at {url}/demo

Send the first email:

  curl -s {url}/notifications -H 'x-api-key: {key}' -H 'content-type: application/json' \\
    -d '{json.dumps(body)}'

See what became of it, and what the sandbox was sent:

  curl -s {url}/notifications -H 'x-api-key: {key}'
  {description["sandbox"]["url"]}

Ctrl-C stops everything. What was sent is kept, and found again at the next start.
""",
        flush=True,
    )
