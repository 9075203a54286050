"""What Postroom counts on, asked of the sandbox; and of GOV.UK Notify itself, where it is given a test key.

`NOTIFY_TEST_KEY=… pytest tests/contract/test_real_notify.py`: a key of the type "test", whose service has
a template for emails. It sends to simulated recipients, and nothing goes out.
"""

import os
from collections.abc import AsyncIterator

import pytest

from notify_rules.simulated import SIMULATED_EMAIL_ADDRESSES
from notify_sandbox.testing import running_sandbox
from postroom.channels.govuk_notify import NotifyClient, NotifyClients, NotifyRefusedKey, NotifyTemplate
from postroom.domain.outcome import Accepted, Rejected
from postroom.kit.clock import utc_now
from postroom.kit.ids import new_id
from postroom.settings import GOVUK_NOTIFY

REAL = "NOTIFY_TEST_KEY"
TO = min(SIMULATED_EMAIL_ADDRESSES)


@pytest.fixture(params=["sandbox", "real"] if REAL in os.environ else ["sandbox"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[NotifyClient]:
    clients = NotifyClients(clock=utc_now, call_seconds=10)
    try:
        if request.param == "real":
            yield clients.of(base_url=GOVUK_NOTIFY, key=os.environ[REAL])
        else:
            async with running_sandbox() as sandbox:
                yield clients.of(base_url=sandbox.url, key=sandbox.api_key)
    finally:
        await clients.close()


async def template_of(client: NotifyClient) -> NotifyTemplate:
    """A template for emails whose placeholders any text can fill."""
    return next(each for each in await client.templates() if each.type == "email" and not _wants_file(each))


def _wants_file(template: NotifyTemplate) -> bool:
    return any("file" in name for name in template.placeholders)


def values_for(template: NotifyTemplate) -> dict[str, str]:
    return dict.fromkeys(template.placeholders, "Amala")


async def test_a_template_is_listed_read_and_previewed(client: NotifyClient) -> None:
    listed = await template_of(client)
    read = await client.template(listed.id)
    preview = await client.preview(listed.id, personalisation=values_for(listed))

    assert read is not None
    assert (read.version, read.body, read.placeholders) == (listed.version, listed.body, listed.placeholders)
    assert preview is not None
    assert (preview.version, "((" in preview.body) == (listed.version, False)


async def test_an_email_is_taken_and_its_version_told(client: NotifyClient) -> None:
    template = await template_of(client)
    outcome = await client.send_email(
        email_address=TO, template_id=template.id, personalisation=values_for(template), reference=new_id()
    )

    assert isinstance(outcome, Accepted)
    assert outcome.template_version == template.version


async def test_a_template_that_is_not_there_is_refused_for_good(client: NotifyClient) -> None:
    outcome = await client.send_email(
        email_address=TO, template_id=new_id(), personalisation={}, reference=new_id()
    )

    assert isinstance(outcome, Rejected)


async def test_what_was_never_sent_is_not_known(client: NotifyClient) -> None:
    assert await client.by_reference(new_id()) == []
    assert await client.notification(new_id()) is None


async def test_another_key_is_refused(client: NotifyClient) -> None:
    clients = NotifyClients(clock=utc_now, call_seconds=10)
    stranger = clients.of(base_url=client.base_url, key=f"stranger-{new_id()}-{new_id()}")
    with pytest.raises(NotifyRefusedKey):
        await stranger.templates()
    await clients.close()
