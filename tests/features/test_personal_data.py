"""Personal data stands in no table in clear, whatever is done, nor in any line of the log."""

import io
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import structlog
from sqlalchemy import inspect, text

from postroom.domain.action import ActionType
from postroom.domain.caller import Person
from postroom.domain.channel import Channel
from postroom.domain.notification import FollowOn
from postroom.features.notifications.act import Action
from postroom.features.services import set_link_hosts
from postroom.kit import log as logs
from postroom.kit.database import metadata
from tests.features.test_escalate import step

if TYPE_CHECKING:
    from tests.features.conftest import Office

OFFICER = "sabrina.officer@hackney.gov.uk"
SECRETS = {
    "email": "zebedee.quill@example.com",
    "the name in the email": "zebedee.quill",
    "number": "07700900765",
    "number as it is dialled": "7700900765",
    "message": "The boiler of Zebedee leaks",
    "value": "Zebedee Quillfeather",
    "address": "17 Marmalade Passage",
    "officer": OFFICER,
    "note": "Spoke with him on Tuesday",
    "ip": "198.51.100.77",
    "link": "forms.hackney.gov.uk/zebedee",
}


def forms(secret: str) -> set[bytes]:
    """Every way in which a column may write it."""
    encoded = {form.encode() for form in (secret, secret.lower(), secret.upper())}
    return encoded | {form.hex().encode() for form in encoded} | {secret.encode("utf-16-le")}


async def everything(office: "Office") -> dict[str, list[bytes]]:
    """Every column of every row of every table, ours and the queue's, as bytes."""
    kept: dict[str, list[bytes]] = {}
    async with office.app.database.reading() as conn:
        for table in await conn.run_sync(lambda sync: inspect(sync).get_table_names()):
            rows = await conn.execute(text(f'SELECT * FROM "{table}"'))
            kept[table] = [
                bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
                for row in rows
                for value in row
            ]
    return kept


async def live_through(office: "Office") -> None:
    """Accepted over all channels, sent, failed, received, read, decided, removed."""
    officer = Person(OFFICER, groups=("repairs-officers",))
    templates = office.sandbox.templates
    async with office.app.database.transaction() as conn:
        hosts = ["forms.hackney.gov.uk"]
        await set_link_hosts(conn, service_id=office.repairs.service_id, hosts=hosts)
    made = await office.create(
        office.email(
            channels=(Channel.SCREEN, Channel.EMAIL),
            extra_channels=(Channel.TEXT, Channel.LETTER),
            user=OFFICER,
            target_id="t-1",
            message=SECRETS["message"],
            follow_on=FollowOn("Go on", f"https://{SECRETS['link']}"),
            escalation=(step(office.screen(user=OFFICER, message=SECRETS["message"])),),
            email=SECRETS["email"],
            mobile_number=SECRETS["number"],
            service_key=office.sandbox.mint_key(),
            require_action=True,
            reference="r-1",
            template_ids={Channel.TEXT: templates["text"], Channel.LETTER: templates["letter"]},
            personalisation={
                "name": SECRETS["value"],
                "ref": "R-1",
                "code": "4711",
                "addressLine1": SECRETS["value"],
                "addressLine2": SECRETS["address"],
                "addressLine3": "E8 1DY",
            },
        )
    )
    office.sandbox.fail("error-after-accepting", times=1, method="POST")
    for delivery in made.deliveries:
        await office.app.sender.step(delivery.id)
    await office.step(made)
    sent = (await office.one(made)).deliveries
    await office.receive(sent[0], "temporary-failure")
    for action in (ActionType.IS_READ, ActionType.INITIATED, ActionType.APPROVED):
        await office.act(made, Action(action, note=SECRETS["note"], ip=SECRETS["ip"]), caller=officer)
    await office.withdraw(made, caller=officer)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What all of our loggers write, from now on."""
    written = io.StringIO()
    _forget_streams()
    logs.configure(level="DEBUG", stream=written)
    yield written
    _forget_streams()
    structlog.reset_defaults()


def _forget_streams() -> None:
    """A logger keeps the stream of its first line for as long as the process lives."""
    for name, module in list(sys.modules.items()):
        if name.startswith("postroom.") and hasattr(module, "log"):
            vars(module.log).pop("bind", None)


async def test_no_table_and_no_log_holds_any_of_it_in_clear(office: "Office", log: io.StringIO) -> None:
    await live_through(office)

    kept = await everything(office)
    found = {
        (table, name)
        for table, values in kept.items()
        for name, secret in SECRETS.items()
        if any(form in value for value in values for form in forms(secret))
    }
    assert found == set()
    assert [name for name, secret in SECRETS.items() if secret in log.getvalue()] == []
    assert log.getvalue() != ""


async def test_no_table_holds_a_key_in_clear(office: "Office") -> None:
    key = office.sandbox.mint_key()
    await office.create(office.email(service_key=key))

    values = [value for rows in (await everything(office)).values() for value in rows]

    assert [value for value in values if key.encode() in value or key[-36:].encode() in value] == []


async def test_the_search_above_sees_all_tables_and_what_stands_in_clear(office: "Office") -> None:
    await office.create(office.screen(reference="zebedee-in-clear"))

    kept = await everything(office)

    assert set(metadata.tables) <= set(kept)
    assert any(form in value for value in kept["notifications"] for form in forms("zebedee-in-clear"))
