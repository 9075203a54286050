"""What is new on a person's screen is pushed to their browsers: sealed, once for each, and nothing else."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from postroom.domain.action import ActionType
from postroom.domain.audience import Audience, AudienceKind
from postroom.domain.caller import Person
from postroom.domain.errors import Invalid, NotFound
from postroom.domain.notification import Notification
from postroom.features.inbox.push import follow, judge, message
from postroom.features.inbox.push.follow import follow as follow_screens
from postroom.features.inbox.push.judge import WAITS
from postroom.features.inbox.push.subscriptions import (
    LASTS,
    MOST,
    Address,
    Subscription,
    forget_lapsed,
    subscribe,
    subscriptions_of,
    unsubscribe,
    unsubscribe_all,
)
from postroom.features.inbox.push.tables import push_places, push_subscriptions, pushes
from postroom.features.notifications.act import Action
from postroom.features.notifications.discretion import NEUTRAL
from postroom.features.notifications.seal import reader_index
from postroom.features.recipients import add_members, remove_member
from postroom.features.screens.publish import publish
from postroom.features.webhooks.retry import Answer
from postroom.kit.database import AsyncConnection
from postroom.kit.web_push import from_text
from tests.features.conftest import POLICY, open_office
from tests.push_service import Browser, PushService, running_push_service

if TYPE_CHECKING:
    from notify_sandbox.testing import SandboxUnderTest
    from tests.features.conftest import Office

GROUP = Audience(AudienceKind.GROUP, "repairs-officers")
HOUR = timedelta(hours=1)


@pytest.fixture
async def office(database_url: str, sandbox: "SandboxUnderTest") -> AsyncIterator["Office"]:
    chosen = {"private_webhooks": True, "push_contact": "mailto:team@hackney.gov.uk"}
    async with open_office(database_url, sandbox, **chosen) as opened:
        yield opened


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    async with running_push_service() as running:
        yield running


async def subscribed(office: "Office", person: Person, browser: Browser, **how: Any) -> Subscription:
    async with office.app.database.transaction() as conn:
        return await handed_in(conn, office, person, browser, **how)


async def handed_in(
    conn: AsyncConnection, office: "Office", person: Person, browser: Browser, **how: Any
) -> Subscription:
    told = browser.subscription
    return await subscribe(
        conn,
        person,
        Address(told["endpoint"], told["keys"]["p256dh"], told["keys"]["auth"]),
        vault=office.app.vault,
        private=True,
        now=office.now,
        **how,
    )


async def pushed(office: "Office") -> int:
    """Follow what is new, and send all that is due; how much was written down."""
    while await publish(office.app.database):
        pass
    written = await office.app.pusher.follow()
    while await office.app.pusher.start_due():
        await office.app.pusher.idle()
    return written


async def true(condition: Callable[[], bool], *, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        await asyncio.sleep(0.02)


async def of(office: "Office", person: Person) -> list[Subscription]:
    async with office.app.database.reading() as conn:
        return await subscriptions_of(conn, person, vault=office.app.vault)


async def join(office: "Office", person: Person) -> None:
    async with office.app.database.transaction() as conn:
        await add_members(conn, GROUP, [person.email], vault=office.app.vault, now=office.now)


async def test_what_is_new_is_pushed_sealed_and_signed(
    office: "Office", service: PushService, joe: Person
) -> None:
    browser = service.browser()
    await subscribed(office, joe, browser)
    made = await office.create(office.screen(user=joe.email, target_type="FailedDirectDebits"))

    assert await pushed(office) == 1
    assert browser.shown == [
        {
            "id": made.id,
            "title": "Failed direct debits",
            "body": "Estimates are ready",
            "tag": made.id,
            "url": f"/inbox/{made.id}",
            "unread": 1,
        }
    ]
    [headers] = browser.asked
    assert headers["content-encoding"] == "aes128gcm"
    assert headers["urgency"] == "normal"
    assert 86_390 <= int(headers["ttl"]) <= 86_400
    assert len(from_text(headers["topic"])) == 16
    assert made.id.replace("-", "") not in headers["topic"]
    assert service.keys == {office.app.pusher.public_key}
    assert {claims["sub"] for claims in service.claims} == {"mailto:team@hackney.gov.uk"}
    assert await office.rows(pushes) == []
    assert await pushed(office) == 0
    assert len(browser.shown) == 1


async def test_every_browser_of_everybody_whom_it_addresses(
    office: "Office", service: PushService, joe: Person, amala: Person
) -> None:
    desk, home, hers, other = (service.browser() for _ in range(4))
    for person, browser in ((joe, desk), (joe, home), (amala, hers), (Person("mary@hackney.gov.uk"), other)):
        await subscribed(office, person, browser)
    for person in (joe, amala):
        await join(office, person)
    await office.create(office.screen(user=str(GROUP), message="For the group"))
    await office.create(office.screen(user=joe.email, message="For Joe"))

    await pushed(office)

    def texts(browser: Browser) -> list[str]:
        return sorted(each["body"] for each in browser.shown)

    assert texts(desk) == texts(home) == ["For Joe", "For the group"]
    assert texts(hers) == ["For the group"]
    assert texts(other) == []
    assert {each["unread"] for each in desk.shown} == {2}
    assert {each["unread"] for each in hers.shown} == {1}


async def test_members_by_their_tokens_are_pushed_too(
    office: "Office", service: PushService, joe: Person
) -> None:
    browser = service.browser()
    await subscribed(office, joe, browser)
    await office.app.memberships.hear(joe, issued_at=office.now)
    await office.create(office.screen(user=str(GROUP)))

    await pushed(office)
    assert len(browser.shown) == 1


async def test_changes_are_not_pushed(office: "Office", service: PushService, joe: Person) -> None:
    browser = service.browser()
    await subscribed(office, joe, browser)
    made = await office.create(office.screen(user=joe.email, require_action=True))
    await pushed(office)
    await office.act(made, Action(ActionType.APPROVED, note="right"), caller=joe)
    await office.withdraw(made, caller=office.repairs)

    assert await pushed(office) == 0
    assert len(browser.shown) == 1
    assert browser.shown[0]["requireAction"] is True
    assert browser.asked[0]["urgency"] == "high"


async def test_a_sensitive_one_is_pushed_without_its_text(
    office: "Office", service: PushService, joe: Person
) -> None:
    browser = service.browser()
    await subscribed(office, joe, browser)
    await office.create(
        office.screen(user=joe.email, message="Joe Bloggs is ill", sensitive=True, target_type="Tenure")
    )

    await pushed(office)
    [shown] = browser.shown
    assert (shown["title"], shown["body"]) == ("A new notification", NEUTRAL)
    assert set(shown) == {"id", "title", "body", "tag", "url", "unread"}


async def _seen(office: "Office", made: Notification, joe: Person) -> None:
    await office.act(made, Action(ActionType.IS_SEEN), caller=joe)


async def _read(office: "Office", made: Notification, joe: Person) -> None:
    await office.act(made, Action(ActionType.IS_READ), caller=joe)


async def _removed_by_joe(office: "Office", made: Notification, joe: Person) -> None:
    await office.withdraw(made, caller=joe)


async def _withdrawn(office: "Office", made: Notification, joe: Person) -> None:
    await office.withdraw(made, caller=office.repairs)


async def _left(office: "Office", made: Notification, joe: Person) -> None:
    async with office.app.database.transaction() as conn:
        await remove_member(conn, GROUP, joe.email, vault=office.app.vault)


async def _expired(office: "Office", made: Notification, joe: Person) -> None:
    office.clock.ahead += 2 * HOUR


async def _unsubscribed(office: "Office", made: Notification, joe: Person) -> None:
    async with office.app.database.transaction() as conn:
        await unsubscribe_all(conn, joe, vault=office.app.vault)


async def _old(office: "Office", made: Notification, joe: Person) -> None:
    office.clock.ahead += 25 * HOUR


async def _not_seen_for_long(office: "Office", made: Notification, joe: Person) -> None:
    office.clock.ahead += LASTS


@pytest.mark.parametrize(
    "happens",
    [
        _seen,
        _read,
        _removed_by_joe,
        _withdrawn,
        _left,
        _expired,
        _unsubscribed,
        _old,
        _not_seen_for_long,
    ],
    ids=lambda each: each.__name__.strip("_").replace("_", "-"),
)
async def test_what_is_no_news_any_more_when_its_turn_comes_is_not_sent(
    office: "Office", service: PushService, joe: Person, happens: Any
) -> None:
    browser = service.browser()
    await join(office, joe)
    await subscribed(office, joe, browser)
    new = office.screen(user=str(GROUP))
    made = await office.create(
        office.screen(user=str(GROUP), expires_at=office.now + HOUR) if happens is _expired else new
    )
    while await publish(office.app.database):
        pass
    assert await office.app.pusher.follow() == 1
    await happens(office, made, joe)

    await pushed(office)
    assert browser.asked == []
    assert await office.rows(pushes) == []


async def test_what_was_there_before_somebody_subscribed_is_not_pushed(
    office: "Office", service: PushService, joe: Person
) -> None:
    browser = service.browser()
    await office.create(office.screen(user=joe.email, message="before"))
    await subscribed(office, joe, browser)
    await office.create(office.screen(user=joe.email, message="after"))

    await pushed(office)
    assert [each["body"] for each in browser.shown] == ["after"]


async def test_many_at_once_are_one_popup(office: "Office", service: PushService, joe: Person) -> None:
    browser = service.browser()
    await subscribed(office, joe, browser)
    for _ in range(message.MOST_ONE_BY_ONE + 1):
        await office.create(office.screen(user=joe.email))

    await pushed(office)
    assert browser.shown == [
        {
            "id": None,
            "title": "4 new notifications",
            "body": "You have 4 unread.",
            "tag": "postroom",
            "url": "/inbox",
            "unread": 4,
        }
    ]
    assert await office.rows(pushes) == []


async def test_more_than_are_looked_at_in_one_transaction(
    office: "Office", service: PushService, joe: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "MOST", 2)
    await subscribed(office, joe, service.browser())
    for _ in range(5):
        await office.create(office.screen(user=joe.email))

    while await publish(office.app.database):
        pass
    assert await office.app.pusher.follow() == 5


async def test_several_workers_follow_without_writing_anything_twice(
    office: "Office", service: PushService, joe: Person
) -> None:
    browser = service.browser()
    await subscribed(office, joe, browser)
    for _ in range(3):
        await office.create(office.screen(user=joe.email))
    while await publish(office.app.database):
        pass
    database, now = office.app.database, office.now

    written = await asyncio.gather(*(follow_screens(database, now=now) for _ in range(4)))
    assert sum(written) == 3
    assert len(await office.rows(pushes)) == 3


async def test_what_was_sent_and_not_written_down_is_sent_again_with_the_same_tag(
    office: "Office", service: PushService, joe: Person
) -> None:
    browser = service.browser(delay=0.5)
    await subscribed(office, joe, browser)
    await office.create(office.screen(user=joe.email))
    while await publish(office.app.database):
        pass
    await office.app.pusher.follow()
    await office.app.pusher.start_due()
    await true(lambda: bool(browser.asked))
    # As a kill would, between what was sent and what is written of it.
    await office.app.pusher._in_hand.finish(within=0)
    await asyncio.sleep(0.6)
    browser.delay = 0

    await pushed(office)
    assert len(browser.shown) <= 1, "another worker has it in hand still"
    office.clock.ahead += POLICY.lease
    await pushed(office)
    assert len({each["tag"] for each in browser.shown}) == 1
    assert len(browser.asked) == 2
    assert {each["topic"] for each in browser.asked} == {browser.asked[0]["topic"]}
    assert await office.rows(pushes) == []


@pytest.mark.parametrize("status", [404, 410])
async def test_a_browser_that_is_gone_is_forgotten(
    office: "Office", service: PushService, joe: Person, status: int
) -> None:
    gone, there = service.browser(status=status), service.browser()
    for browser in (gone, there):
        await subscribed(office, joe, browser)
    await office.create(office.screen(user=joe.email))

    await pushed(office)
    assert len(await of(office, joe)) == 1
    assert len(there.shown) == 1
    assert await office.rows(pushes) == []


@pytest.mark.parametrize("status", [400, 401, 403, 413, 302])
async def test_what_is_refused_is_given_up_and_the_next_is_tried(
    office: "Office", service: PushService, joe: Person, status: int
) -> None:
    browser = service.browser(statuses=[status])
    await subscribed(office, joe, browser)
    await office.create(office.screen(user=joe.email, message="first"))
    await pushed(office)
    await office.create(office.screen(user=joe.email, message="second"))

    await pushed(office)
    assert [each["body"] for each in browser.shown] == ["second"]
    assert await office.rows(pushes) == []


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_push_service_that_cannot_take_it_is_asked_again(
    office: "Office", service: PushService, joe: Person, status: int
) -> None:
    browser = service.browser(statuses=[status, status])
    await subscribed(office, joe, browser)
    await office.create(office.screen(user=joe.email))

    await pushed(office)
    assert browser.shown == []
    await pushed(office)
    assert len(browser.asked) == 1, "it is not asked again at once"
    for wait in WAITS[:2]:
        office.clock.ahead += wait * 1.3
        await pushed(office)
    assert len(browser.shown) == 1
    [row] = await office.rows(push_subscriptions)
    assert (row.failures, row.due_at) == (0, None)


async def test_what_no_push_service_takes_is_given_up(
    office: "Office", service: PushService, joe: Person
) -> None:
    browser = service.browser(status=503)
    await subscribed(office, joe, browser)
    await office.create(office.screen(user=joe.email))
    await pushed(office)
    for wait in WAITS:
        office.clock.ahead += wait * 1.3
        await pushed(office)

    assert len(browser.asked) == len(WAITS) + 1
    assert await office.rows(pushes) == []
    assert len(await of(office, joe)) == 1


async def test_a_slow_push_service_delays_no_other(office: "Office", joe: Person, amala: Person) -> None:
    async with running_push_service() as slow, running_push_service() as quick:
        for _ in range(MOST):
            await subscribed(office, amala, slow.browser(delay=5))
        browser = quick.browser()
        await subscribed(office, joe, browser)
        for person in (amala, joe):
            await office.create(office.screen(user=person.email))
        while await publish(office.app.database):
            pass
        await office.app.pusher.follow()
        await office.app.pusher.start_due()
        await true(lambda: bool(browser.shown), seconds=3)
        await office.app.pusher._in_hand.finish(within=0)


async def test_one_that_cannot_be_opened_is_forgotten_and_holds_up_no_other(
    office: "Office", service: PushService, joe: Person, amala: Person
) -> None:
    browser = service.browser()
    spoiled = await subscribed(office, amala, service.browser())
    await subscribed(office, joe, browser)
    async with office.app.database.transaction() as conn:
        mine = push_subscriptions.c.id == spoiled.id
        await conn.execute(push_subscriptions.update().where(mine).values(sealed=b"spoiled"))
    for person in (amala, joe):
        await office.create(office.screen(user=person.email))

    await pushed(office)
    assert len(browser.shown) == 1
    assert await of(office, amala) == []


async def test_while_nobody_subscribes_nothing_is_written(office: "Office", joe: Person) -> None:
    await office.create(office.screen(user=joe.email))

    assert await pushed(office) == 0
    assert await office.rows(push_places) == []


async def test_only_public_addresses_are_dialled(
    database_url: str, sandbox: "SandboxUnderTest", service: PushService, joe: Person
) -> None:
    browser = service.browser()
    async with open_office(database_url, sandbox) as office:
        with pytest.raises(Invalid) as refused:
            await subscribed_in_public(office, joe, browser)
        assert {fault.field for fault in refused.value.errors} == {"endpoint"}
        # One that was let in while it was public, and leads within now.
        await subscribed(office, joe, browser)
        await office.create(office.screen(user=joe.email))
        await pushed(office)
    assert browser.asked == []


async def subscribed_in_public(office: "Office", person: Person, browser: Browser) -> None:
    told = browser.subscription
    address = Address(told["endpoint"], told["keys"]["p256dh"], told["keys"]["auth"])
    async with office.app.database.transaction() as conn:
        await subscribe(conn, person, address, vault=office.app.vault, private=False, now=office.now)


async def test_the_same_browser_again_is_the_same_subscription(
    office: "Office", service: PushService, joe: Person
) -> None:
    browser = service.browser()
    first = await subscribed(office, joe, browser)
    office.clock.ahead += HOUR
    again = await subscribed(office, joe, browser)

    assert (again.id, again.made_at) == (first.id, first.made_at)
    assert again.confirmed_at > first.confirmed_at
    assert await of(office, joe) == [again]


async def test_new_keys_of_the_same_browser_are_used(
    office: "Office", service: PushService, joe: Person
) -> None:
    browser = service.browser()
    await subscribed(office, joe, browser)
    browser.key, browser.auth = Browser("").key, bytes(16)
    await subscribed(office, joe, browser)
    await office.create(office.screen(user=joe.email))

    await pushed(office)
    assert len(browser.shown) == 1


async def test_a_browser_that_another_officer_takes_over_is_theirs_alone(
    office: "Office", service: PushService, joe: Person, amala: Person
) -> None:
    browser = service.browser()
    await subscribed(office, joe, browser)
    await office.create(office.screen(user=joe.email, message="for Joe, waiting"))
    while await publish(office.app.database):
        pass
    await office.app.pusher.follow()
    await subscribed(office, amala, browser)
    await office.create(office.screen(user=joe.email, message="for Joe"))
    await office.create(office.screen(user=amala.email, message="for Amala"))

    await pushed(office)
    assert [each["body"] for each in browser.shown] == ["for Amala"]
    assert await of(office, joe) == []
    assert len(await of(office, amala)) == 1


async def test_of_two_officers_at_the_same_moment_one_has_it(
    office: "Office", service: PushService, joe: Person, amala: Person
) -> None:
    browser = service.browser()
    async with office.app.database.transaction() as conn:
        await handed_in(conn, office, joe, browser)
        later = asyncio.create_task(subscribed(office, amala, browser))
        await asyncio.sleep(0.3)
    await later

    assert await of(office, joe) == []
    assert len(await of(office, amala)) == 1


async def test_beyond_the_cap_the_one_not_seen_for_longest_goes(
    office: "Office", service: PushService, joe: Person
) -> None:
    made = []
    for _ in range(MOST):
        made.append(await subscribed(office, joe, service.browser()))
        office.clock.ahead += HOUR / 60
    await subscribed(office, joe, service.browsers["b0"])
    newest = await subscribed(office, joe, service.browser())

    assert {each.id for each in await of(office, joe)} == {each.id for each in made} - {made[1].id} | {
        newest.id
    }


async def test_whoever_is_not_seen_for_long_is_forgotten(
    office: "Office", service: PushService, joe: Person, amala: Person
) -> None:
    await subscribed(office, joe, service.browser())
    await subscribed(office, joe, service.browser(), expires_at=office.now + LASTS / 2)
    office.clock.ahead += LASTS / 2
    await subscribed(office, amala, service.browser())
    async with office.app.database.transaction() as conn:
        assert await forget_lapsed(conn, now=office.now) == 1
    office.clock.ahead += LASTS / 2
    async with office.app.database.transaction() as conn:
        assert await forget_lapsed(conn, now=office.now) == 1

    assert len(await of(office, amala)) == 1
    assert await of(office, joe) == []


async def test_nobody_unsubscribes_another(
    office: "Office", service: PushService, joe: Person, amala: Person
) -> None:
    browser = service.browser()
    made = await subscribed(office, joe, browser)
    for which in ({"endpoint": browser.endpoint}, {"subscription_id": made.id}):
        with pytest.raises(NotFound):
            async with office.app.database.transaction() as conn:
                await unsubscribe(conn, amala, vault=office.app.vault, **which)
    assert len(await of(office, joe)) == 1

    async with office.app.database.transaction() as conn:
        await unsubscribe(conn, joe, vault=office.app.vault, endpoint=browser.endpoint)
    assert await of(office, joe) == []


async def test_nothing_of_a_browser_or_its_officer_stands_in_clear(
    office: "Office", service: PushService, joe: Person
) -> None:
    browser = service.browser("a-secret-address")
    await subscribed(office, joe, browser)
    [row] = await office.rows(push_subscriptions)

    assert bytes(row.reader) == reader_index(office.app.vault, joe.email)
    assert repr(Address("https://a.example/secret", "p", "a")) == "Address()"
    kept = b"".join(value for value in row if isinstance(value, bytes))
    for secret in (b"a-secret-address", joe.email.encode(), browser.subscription["keys"]["auth"].encode()):
        assert secret not in kept


@pytest.mark.parametrize(
    ("status", "failures", "outcome"),
    [
        (200, 0, "taken"),
        (201, 0, "taken"),
        (204, 9, "taken"),
        (302, 0, "refused"),
        (400, 0, "refused"),
        (401, 0, "refused"),
        (403, 0, "refused"),
        (404, 0, "gone"),
        (408, 0, "try-again"),
        (410, 0, "gone"),
        (413, 0, "refused"),
        (429, 0, "try-again"),
        (500, 0, "try-again"),
        (503, 5, "try-again"),
        (503, 6, "given-up"),
        (None, 0, "try-again"),
        (None, 6, "given-up"),
    ],
)
def test_what_follows_from_an_answer(status: int | None, failures: int, outcome: str) -> None:
    assert judge.outcome_of(Answer(status_code=status), failures=failures) == outcome
