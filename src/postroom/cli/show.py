"""What the commands print."""

import json
import sys
from typing import Any


def line(text: str) -> None:
    print(text)


def error(text: str) -> None:
    print(text, file=sys.stderr)


def as_json(value: Any) -> None:
    print(json.dumps(value, indent=2))


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
