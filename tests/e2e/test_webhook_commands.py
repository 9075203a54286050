"""Whoever runs Postroom sets a service's webhook, sees what came of its calls, and has them made again."""

import asyncio
import json
from datetime import timedelta
from typing import Any

from postroom.app import running_app
from postroom.features.services import Registration, register
from postroom.features.webhooks import Actor, Kind, happened, record
from postroom.kit.ids import new_id
from postroom.settings import read_settings

URL = "https://repairs.example.gov.uk/hook"


async def prepare(environment: dict[str, str]) -> Any:
    """The service `repairs`, and an event of its own in the feed; when it was recorded."""
    async with running_app(read_settings(environment)) as app:
        async with app.database.transaction() as conn:
            service_id = await register(conn, Registration(name="repairs"), vault=app.vault, now=app.clock())
            event = happened(
                Kind.CREATED,
                at=app.clock(),
                service_id=service_id,
                notification_id=new_id(),
                actor=Actor.SERVICE,
            )
            await record(conn, [event])
        await app.dispatcher.publish_all()
    return event


def test_a_webhook_is_set_shown_rotated_and_removed(
    starter: Any, sqlite_url: str, secrets: dict[str, str]
) -> None:
    environment = secrets | {"DATABASE_URL": sqlite_url}
    event = asyncio.run(prepare(environment))

    def run(*arguments: str) -> Any:
        return starter.run("webhooks", *arguments, **environment)

    def answer(*arguments: str) -> Any:
        done = run(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    made = answer("set", "repairs", URL)
    assert (made["url"], made["isOn"], made["secret"][:6]) == (URL, True, "whsec_")
    shown = run("show", "repairs")
    assert (shown.returncode, shown.stdout) == (0, f"Called at {URL}, 0 waiting.\n")
    rotated = run("rotate", "repairs")
    assert "Secret, shown this once: whsec_" in rotated.stdout
    assert made["secret"] not in rotated.stdout
    since = (event["at"] - timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%S")
    assert answer("resend", "repairs", "--since", since) == {"resent": 1}
    assert answer("resend", "repairs", "--event", event["id"]) == {"resent": 1}
    assert answer("show", "repairs")["waiting"] == 1
    assert answer("log", "repairs") == []
    assert answer("off", "repairs") == {"removed": True}
    for arguments, says in (
        (("show", "repairs"), "no webhook"),
        (("show", "nobody"), "no service named nobody"),
        (("set", "repairs", "http://127.0.0.1/"), "url: Use an address that begins with https://."),
        (("resend", "repairs"), "event: Give --event ID, or --since TIME."),
        (("log", "repairs", "--outcome", "x"), "outcome: Use one of"),
    ):
        refused = run(*arguments)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert says in refused.stderr
