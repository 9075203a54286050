"""Whoever runs Postroom sees where everything stands, and takes up again what was given up."""

import asyncio
import json
from typing import Any

import pytest

from postroom.app import App, running_app
from postroom.domain.caller import ServiceCaller
from postroom.domain.channel import Channel
from postroom.features.notifications.request import NewNotification
from postroom.features.notifications.tables import attempts, deliveries
from postroom.features.services import Registration, register
from postroom.kit.ids import new_id
from postroom.settings import read_settings

NOBODY = "http://127.0.0.1:1"
NOT_THERE = "00000000-0000-4000-8000-000000000000"
NOTIFY_KEY = f"repairs-{new_id()}-{new_id()}"


async def prepare(environment: dict[str, str]) -> list[str]:
    """Three emails that wait; two of them end dead, the second of these perhaps sent. Their deliveries."""
    async with running_app(read_settings(environment)) as app:
        caller = await registered(app)
        made = [await one(app, caller, f"R-{number}") for number in range(3)]
        reasons = ["given up: no answer", "needs a decision: it may have been sent"]
        async with app.database.transaction() as conn:
            for delivery_id, reason in zip(made, reasons, strict=False):
                await conn.execute(
                    deliveries.update()
                    .where(deliveries.c.id == delivery_id)
                    .values(status="dead", reason=reason, due_at=None, completed_at=app.clock())
                )
            try_of_second = {"id": new_id(), "delivery_id": made[1], "number": 1, "started_at": app.clock()}
            await conn.execute(attempts.insert(), [try_of_second])
    return made


async def registered(app: App) -> ServiceCaller:
    registration = Registration(name="repairs", notify_key=NOTIFY_KEY, notify_base_url=NOBODY)
    async with app.database.transaction() as conn:
        return ServiceCaller(await register(conn, registration, vault=app.vault, now=app.clock()), "repairs")


async def one(app: App, caller: ServiceCaller, reference: str) -> str:
    new = NewNotification(
        channels=(Channel.EMAIL,),
        email="amala@example.com",
        template_id=new_id(),
        service_key="repairs",
        reference=reference,
    )
    created = await app.creator.create(new, caller=caller, now=app.clock())
    return created.notification.deliveries[0].id


def test_what_was_given_up_is_shown_and_taken_up_again(
    starter: Any, database_url: str, secrets: dict[str, str]
) -> None:
    environment = secrets | {"DATABASE_URL": database_url}
    given_up, unsure, _ = asyncio.run(prepare(environment))

    def run(*arguments: str, code: int = 0) -> str:
        done = starter.run(*arguments, **environment)
        assert done.returncode == code, done.stderr
        return str(done.stdout)

    listed = json.loads(run("dead-letters", "list", "--service", "repairs", "--json"))
    assert [(each["id"], each["cause"]) for each in listed] == [
        (unsure, "may-have-been-sent"),
        (given_up, "given-up"),
    ]
    table = run("dead-letters", "list", "--cause", "given-up")
    assert given_up in table
    assert unsure not in table
    assert "A replay tries again" in run("dead-letters", "show", given_up)
    book = json.loads(run("ledger", "--json"))
    assert (book["accepted"], book["ended"], book["open"]["steps"]["send"]) == (3, {"dead": 2}, 1)
    assert "unaccounted" in run("ledger")

    assert json.loads(run("dead-letters", "replay", "--all", "--json")) == {"replayed": 1}
    run("dead-letters", "replay", unsure, code=1)
    assert run("dead-letters", "replay", unsure, "--may-send-twice") == "1 taken up again.\n"

    book = json.loads(run("ledger", "--json"))
    assert (book["ended"], book["open"]["steps"]) == ({}, {"send": 2, "look": 1, "poll": 0})
    assert set(book["unaccounted"].values()) == {0}


def test_the_ledger_fails_where_something_is_unaccounted_for(
    starter: Any, sqlite_url: str, secrets: dict[str, str]
) -> None:
    environment = secrets | {"DATABASE_URL": sqlite_url}
    asyncio.run(prepare(environment))
    asyncio.run(_forget_a_moment(environment))

    done = starter.run("ledger", **environment)

    assert done.returncode == 1
    assert "unaccounted" in done.stdout


async def _forget_a_moment(environment: dict[str, str]) -> None:
    async with running_app(read_settings(environment)) as app, app.database.transaction() as conn:
        await conn.execute(deliveries.update().values(due_at=None))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["dead-letters", "show", "x"], "delivery: Use the id of a delivery."),
        (["dead-letters", "show", NOT_THERE], "There is no such dead letter"),
        (["dead-letters", "replay"], "Name one, choose by options, or give --all."),
        (["dead-letters", "list", "--channel", "Pigeon"], "channel: Use Email, Text or Letter."),
        (["dead-letters", "list", "--service", "nobody"], "no service named nobody"),
    ],
    ids=repr,
)
def test_what_the_user_can_mend_is_said(
    arguments: list[str], says: str, starter: Any, sqlite_url: str, secrets: dict[str, str]
) -> None:
    done = starter.run(*arguments, **(secrets | {"DATABASE_URL": sqlite_url}))

    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
