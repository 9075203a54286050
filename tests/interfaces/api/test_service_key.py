"""Section 3, `serviceKey`: whose it may be, and that a key is never kept longer or shown."""

import sqlite3
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text, update

from postroom.features.services.store import credentials
from postroom.interfaces.worker import JOBS

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNKNOWN_KEY = "sample-15f6815b-0000-4000-8000-000000000000-5a4db0c5-0000-4000-8000-000000000000"


async def test_it_is_null_in_every_answer(office: Any) -> None:
    item = await office.accepted(office.email(targetId="service-key-null"))
    path = f"/notifications/{item['id']}"

    listed = (await office.get("/notifications?targetId=service-key-null")).body
    shown = [
        item,
        (await office.get(path)).body,
        *listed,
        (await office.patch(item["id"], {"actionType": "IsRead"})).body,
    ]

    assert [each["serviceKey"] for each in shown] == [None] * 4


async def test_it_names_the_calling_service_or_the_request_is_forbidden(office: Any) -> None:
    await office.refused(office.email(serviceKey="other"), status=403)
    await office.refused(office.screen(serviceKey="other"), status=403)


@pytest.mark.parametrize(
    ("channel", "key"),
    [
        ("email", None),
        ("text", None),
        ("letter", None),
        ("email", "nobody"),
        ("email", "sample-15f6815b-...."),
        ("email", UNKNOWN_KEY),
    ],
)
async def test_it_is_required_for_all_but_screen_and_has_to_work(
    channel: str, key: str | None, office: Any
) -> None:
    answer = await office.refused(getattr(office, channel)(serviceKey=key))

    assert list(answer.fields) == ["serviceKey"]
    assert key is None or key not in answer.text


async def test_a_service_without_a_key_of_its_own_cannot_send(office: Any) -> None:
    answer = await office.refused(office.email(serviceKey="other"), key=office.other_key)

    assert answer.fields == {"serviceKey": "This service has no GOV.UK Notify key yet."}


async def test_a_raw_key_sends_is_sealed_and_is_given_up_once_its_deliveries_have_ended(office: Any) -> None:
    raw_key = office.sandbox.mint_key("live", name="given-up")
    before = await office.counts()

    item = await office.accepted(office.email(serviceKey=raw_key))

    await office.ended(item["id"])
    assert (await office.counts())["credentials"] == before["credentials"] + 1
    assert await places_of(raw_key[-36:], office) == []
    async with office.app.database.transaction() as conn:
        await conn.execute(update(credentials).values(used_at=item_time(item)))
    await JOBS["give up raw keys"](office.app)
    assert (await office.counts())["credentials"] == before["credentials"]


async def test_no_table_holds_a_key_or_what_is_personal_in_clear(office: Any) -> None:
    secrets = {
        "api key": office.key,
        "notify key": office.sandbox.api_key[-36:],
        "receipt token": office.receipt_token,
        "email": "search.for.me@example.com",
        "mobile": "7700900789",
        "message": "A message that is searched for",
        "value": "Searchable Value",
        "note": "A note that is searched for",
        "officer": "amala.searched@hackney.gov.uk",
    }
    item = await office.accepted(
        office.email(
            email=secrets["email"],
            mobileNumber=f"0{secrets['mobile']}",
            message=secrets["message"],
            user=secrets["officer"],
            personalisationParams={"name": secrets["value"], "ref": "X1"},
        )
    )
    acted = await office.patch(
        item["id"],
        {"actionType": "Approved", "actionNote": secrets["note"]},
        token=office.token(secrets["officer"]),
    )
    await office.ended(item["id"])

    assert acted.status == 200
    assert {name: found for name, value in secrets.items() if (found := await places_of(value, office))} == {}


def item_time(item: Any) -> datetime:
    return datetime.fromisoformat(item["createdDate"]) - timedelta(hours=2)


async def places_of(value: str, office: Any) -> list[str]:
    """Every column of every table in which the value stands, as text or as bytes."""
    found = []
    async with office.app.database.reading() as conn:
        for table, column in await columns(office):
            for cell in await conn.scalars(text(f'SELECT "{column}" FROM "{table}"')):
                content = cell if isinstance(cell, bytes) else str(cell).encode()
                if value.lower().encode() in content.lower():
                    found.append(f"{table}.{column}")
    return found


async def columns(office: Any) -> list[tuple[str, str]]:
    if not office.app.database.is_postgres:
        with sqlite3.connect(office.app.database.url.database) as file:
            tables = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            found = [
                (table, row[1]) for table in tables for row in file.execute(f'PRAGMA table_info("{table}")')
            ]
        file.close()
        return found
    async with office.app.database.reading() as conn:
        rows = await conn.execute(
            text(
                "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            )
        )
        return [(table, column) for table, column in rows]
