"""A webhook that is switched off is told to the service's owner: once for each time, on their screen."""

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import UNSET

from postroom.domain.caller import Person, ServiceCaller
from postroom.features.monitors import tell_owners
from postroom.features.services import Changes
from postroom.features.webhooks.calls import Call, Ended, write_ends
from postroom.features.webhooks.endpoints import set_endpoint
from postroom.features.webhooks.onboard import Webhooks, change
from postroom.features.webhooks.retry import Answer, Outcome, Verdict
from postroom.features.webhooks.tables import webhook_endpoints
from postroom.kit.ids import new_id

if TYPE_CHECKING:
    from tests.features.conftest import Office

OWNER = Person("olu@hackney.gov.uk")
URL = "https://repairs.example.gov.uk/hook"


async def own(office: "Office", service: ServiceCaller, owner: str | None) -> None:
    webhooks = Webhooks(vault=office.app.vault, private=False)
    async with office.app.database.transaction() as conn:
        changes = Changes(owner=owner)
        await change(conn, service.name, changes, URL, webhooks=webhooks, now=office.now)


async def end_calls(office: "Office", service: ServiceCaller, outcome: Outcome) -> None:
    """What a worker writes after a call of the service's webhook."""
    call = Call(new_id(), service.service_id, new_id(), 1, URL, ("whsec_x",), b"{}")
    async with office.app.database.transaction() as conn:
        await write_ends(conn, [Ended(call, office.now, Answer(status_code=410), Verdict(outcome))])


async def told(office: "Office") -> int:
    app = office.app
    return await tell_owners(database=app.database, creator=app.creator, vault=app.vault, now=office.now)


async def test_an_owner_is_told_once_each_time_that_it_is_switched_off(office: "Office") -> None:
    await own(office, office.repairs, "Olu@hackney.gov.uk")
    assert await told(office) == 0
    await end_calls(office, office.repairs, Outcome.GONE)

    assert [await told(office), await told(office)] == [1, 0]
    office.clock.ahead += timedelta(days=20)
    assert await told(office) == 0
    [seen] = (await office.find(OWNER)).items
    assert (seen.target_id, seen.target_type) == ("repairs", "WebhookEndpoint")
    assert "the webhook of repairs any more since" in (seen.personal.message or "")
    assert "gone for good (410)" in (seen.personal.message or "")
    assert URL not in (seen.personal.message or "")

    async with office.app.database.transaction() as conn:
        vault, now = office.app.vault, office.now
        await set_endpoint(conn, office.repairs.service_id, URL, vault=vault, private=False, now=now)
    assert await told(office) == 0
    await end_calls(office, office.repairs, Outcome.GONE)
    assert [await told(office), await told(office)] == [1, 0]
    assert len((await office.find(OWNER)).items) == 2


async def test_one_that_has_failed_for_days_says_so_and_each_owner_hears_of_theirs(office: "Office") -> None:
    await own(office, office.repairs, "olu@hackney.gov.uk")
    await own(office, office.housing, "hana@hackney.gov.uk")
    await end_calls(office, office.housing, Outcome.GIVEN_UP)
    office.clock.ahead += timedelta(days=6)
    await end_calls(office, office.housing, Outcome.GIVEN_UP)

    assert await told(office) == 1
    assert (await office.find(OWNER)).items == ()
    [seen] = (await office.find(Person("hana@hackney.gov.uk"))).items
    assert "every call has failed for days" in (seen.personal.message or "")


async def test_an_owner_who_is_named_later_is_told_within_a_month_and_not_after(office: "Office") -> None:
    await own(office, office.repairs, None)
    await own(office, office.housing, None)
    for service in (office.repairs, office.housing):
        await end_calls(office, service, Outcome.GONE)
    assert await told(office) == 0

    async def name(service: ServiceCaller) -> None:
        webhooks = Webhooks(vault=office.app.vault, private=False)
        async with office.app.database.transaction() as conn:
            changes = Changes(owner=OWNER.email)
            found, _ = await change(conn, service.name, changes, UNSET, webhooks=webhooks, now=office.now)
            assert found.webhook is not None
            assert found.webhook.off_at is not None

    await name(office.repairs)
    assert await told(office) == 1
    office.clock.ahead += timedelta(days=31)
    await name(office.housing)
    assert await told(office) == 0
    rows = await office.rows(webhook_endpoints)
    assert all(row.off_at is not None for row in rows)
