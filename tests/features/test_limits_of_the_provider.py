"""The provider's limits: never more than allowed, nothing dropped, whoever asks and in whatever batches."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.app import migrate_database
from postroom.domain.channel import Channel
from postroom.features.limits import (
    Go,
    ProviderBuckets,
    ProviderLimits,
    PutOff,
    Suppress,
    Verdict,
    Wanted,
    account_of,
    forget_sends,
)
from postroom.features.limits.bucket import Bucket, new_bucket
from postroom.features.limits.hour import Hour, entry, places
from postroom.features.limits.provider import Till, give_back, spend
from postroom.features.limits.store import append_to_lists, lock_buckets, recent_sends
from postroom.features.limits.verdicts import burst_of, in_parts
from postroom.kit.database import Database, Outdated, open_database
from postroom.kit.database.types import to_microseconds
from postroom.kit.ids import new_id

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 25, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
ACCOUNT = account_of(
    base_url="https://notify.example",
    notify_service_id="fa80e418-ff49-445c-a29b-92c04a181207",
    key_type="live",
)
OTHER_ACCOUNT = account_of(
    base_url="https://notify.example",
    notify_service_id="fa80e418-ff49-445c-a29b-92c04a181207",
    key_type="team",
)
TEMPLATE = "f33517ff-2a88-4f6e-b855-c550268ce08a"
BEFORE_A_DEADLOCK_IS_LOOKED_FOR = 1.3
SLOW = ProviderLimits(per_minute=60, burst=20)


def wanted(limits: ProviderLimits = SLOW, **changed: Any) -> Wanted:
    values: dict[str, Any] = {
        "delivery_id": new_id(),
        "account": ACCOUNT,
        "limits": limits,
        "lane": 0,
        "channel": Channel.EMAIL,
        "international": False,
        "recipient": b"amala",
        "content": None,
        "template_id": TEMPLATE,
        "same_template_an_hour": None,
    }
    return Wanted(**(values | changed))


def text(limits: ProviderLimits = ProviderLimits(), **changed: Any) -> Wanted:  # noqa: B008
    return wanted(limits, **({"channel": Channel.TEXT, "content": b"hello"} | changed))


class Asking:
    """Asks the limits, at a time that the test sets: within a transaction, or `at_once` where that can be."""

    def __init__(self, database: Database, *, at_once: bool = False) -> None:
        self.database = database
        self.at_once = at_once
        self.buckets = ProviderBuckets()
        self.now = NOON

    async def admit(self, *every: Wanted) -> list[Verdict]:
        verdicts = await self.admitted_at_once(*every) if self.at_once else None
        if verdicts is None:
            async with self.database.transaction() as conn:
                verdicts = await self.buckets.admit(conn, every, now=self.now)
        assert verdicts.keys() == {each.delivery_id for each in every}
        return [verdicts[each.delivery_id] for each in every]

    async def admitted_at_once(self, *every: Wanted) -> dict[str, Verdict] | None:
        """None where that cannot be, or where somebody else was faster."""
        batch = self.database.batch()
        verdicts = await self.buckets.admit_at_once(self.database, batch, every, now=self.now)
        try:
            if batch:
                await self.database.write(batch)
        except Outdated:
            return None
        return verdicts

    async def slow_down(self, **what: Any) -> None:
        async with self.database.transaction() as conn:
            await self.buckets.slow_down(conn, ACCOUNT, now=self.now, **what)


@pytest.fixture(params=[False, True], ids=["locked", "at once"])
async def asking(database_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Asking]:
    database = open_database(database_url)
    await migrate_database(database)
    yield Asking(database, at_once=request.param)
    await database.close()


def kinds(verdicts: Sequence[Verdict]) -> dict[type[Verdict], int]:
    return dict(Counter(type(each) for each in verdicts))


def untils(verdicts: Sequence[Verdict]) -> list[datetime]:
    return [each.until for each in verdicts if isinstance(each, PutOff)]


# The minute


async def test_a_burst_goes_at_once_and_the_rest_at_the_rate_of_the_tokens(asking: Asking) -> None:
    verdicts = await asking.admit(*(wanted() for _ in range(25)))

    assert verdicts[:20] == [Go()] * 20
    waits = [(until - NOON).total_seconds() for until in untils(verdicts)]
    assert waits == pytest.approx([1, 2, 3, 4, 5], abs=0.01)


async def test_what_comes_back_at_its_time_goes(asking: Asking) -> None:
    every = [wanted() for _ in range(23)]
    waiting = dict(zip(every, await asking.admit(*every), strict=True))

    for each, verdict in waiting.items():
        if isinstance(verdict, PutOff):
            asking.now = verdict.until
            assert await asking.admit(each) == [Go()]


async def test_ten_thousand_that_wait_come_back_at_the_rate_of_the_tokens(asking: Asking) -> None:
    limits = ProviderLimits()
    waits: list[datetime] = []
    for _ in range(0, 10_000, 1_000):
        waits += untils(await asking.admit(*(wanted(limits, lane=1) for _ in range(1_000))))

    a_second = Counter(int((until - NOON).total_seconds()) for until in waits)
    assert len(waits) == 10_000 - 800
    assert max(a_second.values()) <= 51
    assert (max(waits) - NOON).total_seconds() == pytest.approx(9_200 / 50, abs=1)


async def test_bulk_leaves_a_share_to_what_comes_alone(asking: Asking) -> None:
    bulk = await asking.admit(*(wanted(lane=1) for _ in range(30)))
    singles = await asking.admit(*(wanted() for _ in range(5)))

    assert kinds(bulk) == {Go: 16, PutOff: 14}
    assert kinds(singles) == {Go: 4, PutOff: 1}


async def test_what_comes_alone_does_not_wait_behind_bulk(asking: Asking) -> None:
    bulk = await asking.admit(*(wanted(lane=1) for _ in range(1_000)))
    (*_, last) = await asking.admit(*(wanted() for _ in range(6)))

    assert max(untils(bulk)) - NOON > timedelta(minutes=15)
    assert isinstance(last, PutOff)
    assert last.until - NOON < 3 * SECOND


async def test_in_one_batch_what_comes_alone_goes_first_and_the_older_before_the_younger(
    asking: Asking,
) -> None:
    limits = ProviderLimits(per_minute=60, burst=2, kept_for_singles=0)
    older_bulk, older, younger, youngest = (wanted(limits, lane=lane) for lane in (1, 0, 0, 0))
    verdicts = await asking.admit(youngest, older_bulk, younger, older)

    assert [type(each) for each in verdicts] == [PutOff, PutOff, Go, Go]


async def test_a_bucket_of_one_lets_bulk_through(asking: Asking) -> None:
    limits = ProviderLimits(per_minute=3, burst=1)

    assert await asking.admit(wanted(limits, lane=1)) == [Go()]


async def test_tokens_come_back_with_time_up_to_the_burst(asking: Asking) -> None:
    await asking.admit(*(wanted() for _ in range(20)))
    asking.now += 5 * SECOND
    after_five_seconds = await asking.admit(*(wanted() for _ in range(10)))
    asking.now += HOUR
    after_an_hour = await asking.admit(*(wanted() for _ in range(30)))

    assert kinds(after_five_seconds) == {Go: 5, PutOff: 5}
    assert kinds(after_an_hour) == {Go: 20, PutOff: 10}


async def test_a_clock_that_is_behind_gives_nothing(asking: Asking) -> None:
    await asking.admit(*(wanted() for _ in range(20)))
    asking.now -= 10 * SECOND
    behind = await asking.admit(wanted())
    asking.now += 10 * SECOND
    again = await asking.admit(wanted())

    assert kinds(behind + again) == {PutOff: 2}


async def test_a_clock_that_was_far_ahead_does_not_stop_everything_until_then(asking: Asking) -> None:
    asking.now += timedelta(days=3)
    await asking.admit(*(wanted() for _ in range(25)))
    asking.now = NOON
    (verdict,) = await asking.admit(wanted())
    asking.now += 2 * SECOND

    assert isinstance(verdict, PutOff)
    assert verdict.until - NOON < 2 * SECOND
    assert await asking.admit(wanted()) == [Go()]


async def test_each_account_has_a_bucket_of_its_own(asking: Asking) -> None:
    verdicts = await asking.admit(
        *(wanted(account=account) for _ in range(25) for account in (ACCOUNT, OTHER_ACCOUNT))
    )

    assert kinds(verdicts) == {Go: 40, PutOff: 10}


async def test_after_the_provider_refused_one_the_bucket_is_empty(asking: Asking) -> None:
    await asking.admit(wanted())
    await asking.slow_down()
    refused = await asking.admit(wanted())
    asking.now += 2 * SECOND

    assert kinds(refused) == {PutOff: 1}
    assert await asking.admit(wanted()) == [Go()]


async def test_the_first_word_of_an_account_may_be_that_it_is_too_fast(asking: Asking) -> None:
    await asking.slow_down()

    assert kinds(await asking.admit(wanted())) == {PutOff: 1}


async def test_of_two_services_with_one_account_the_lower_limit_holds(asking: Asking) -> None:
    high = ProviderLimits()
    verdicts = await asking.admit(*(wanted(limits) for _ in range(15) for limits in (high, SLOW)))

    assert kinds(verdicts) == {Go: 20, PutOff: 10}


async def test_what_is_rolled_back_was_not_counted(asking: Asking) -> None:
    async with asking.database.writer.connect() as conn:
        await asking.buckets.admit(conn, [wanted() for _ in range(20)], now=NOON)
        await conn.rollback()

    assert kinds(await asking.admit(*(wanted() for _ in range(20)))) == {Go: 20}


async def test_two_workers_share_one_bucket(asking: Asking) -> None:
    other = Asking(asking.database, at_once=asking.at_once)
    verdicts = []
    for _ in range(7):
        verdicts += await asking.admit(wanted(), wanted())
        verdicts += await other.admit(wanted())

    assert kinds(verdicts) == {Go: 20, PutOff: 1}


async def test_what_one_worker_rolled_back_does_not_hide_what_another_spent(asking: Asking) -> None:
    other = Asking(asking.database, at_once=asking.at_once)
    await asking.admit(wanted())
    async with asking.database.writer.connect() as conn:
        await asking.buckets.admit(conn, [wanted() for _ in range(3)], now=NOON)
        await conn.rollback()
    await other.admit(*(wanted() for _ in range(10)))

    assert kinds(await asking.admit(*(wanted() for _ in range(15)))) == {Go: 9, PutOff: 6}


async def test_a_bucket_that_no_worker_could_empty_is_kept_in_parts(asking: Asking) -> None:
    """Each worker has a part, and all parts together are no more than the whole."""
    huge = ProviderLimits(
        per_minute=1_200_000,
        burst=80,
        emails=8_000_000,
        texts=10**9,
        international_texts=10**9,
        letters=10**9,
    )
    workers = [Asking(asking.database, at_once=asking.at_once) for _ in range(5)]
    for part, worker in enumerate(workers):
        worker.buckets = ProviderBuckets(part=part)
    verdicts = [await worker.admit(*(wanted(huge) for _ in range(30))) for worker in workers]
    await asking.slow_down()

    assert [kinds(each).get(Go, 0) for each in verdicts] == [
        20,
        20,
        20,
        20,
        0,
    ]  # four parts: the fifth shares
    assert kinds(await workers[3].admit(wanted(huge))) == {PutOff: 1}


@pytest.mark.parametrize(
    ("limits", "parts"),
    [
        (ProviderLimits(), 1),
        (ProviderLimits(per_minute=6_000_000), 1),
        (ProviderLimits(6_000_000, 2_000_000, 10**9, 10**9, 10**9, 10**9), 16),
        (ProviderLimits(600_000, 200_000, 10**9, 10**9, 10**9, 10**9), 2),
        (ProviderLimits(6_000_000, 2_000_000, 3_000_000, 10**9, 10**9, 10**9), 3),
    ],
    ids=["Notify's", "days as Notify's", "far above", "twice a part", "days for three"],
)
def test_only_what_is_far_above_notifys_limits_is_kept_in_parts(limits: ProviderLimits, parts: int) -> None:
    assert in_parts(limits)[0] == parts


async def test_nothing_asked_is_nothing_answered(asking: Asking) -> None:
    assert await asking.admit() == []


@pytest.mark.parametrize(
    ("per_minute", "burst"), [(3_000, 999), (60, 20), (1, 1), (2_999, 999), (6_000_000, 2_000_000)]
)
def test_how_many_go_at_once(per_minute: int, burst: int) -> None:
    assert burst_of(per_minute) == burst


# The day


@pytest.mark.parametrize(
    ("limits", "which", "others"),
    [
        (ProviderLimits(emails=2), {"channel": Channel.EMAIL}, {"channel": Channel.LETTER}),
        (ProviderLimits(letters=2), {"channel": Channel.LETTER}, {"channel": Channel.EMAIL}),
        (ProviderLimits(texts=2), {"channel": Channel.TEXT}, {"channel": Channel.EMAIL}),
        (
            ProviderLimits(international_texts=2),
            {"channel": Channel.TEXT, "international": True},
            {"channel": Channel.TEXT},
        ),
        (
            ProviderLimits(texts=2),
            {"channel": Channel.TEXT, "international": True},
            {"channel": Channel.LETTER},
        ),
    ],
    ids=["emails", "letters", "texts", "texts abroad", "texts abroad are texts"],
)
async def test_what_is_more_than_a_day_takes_waits_for_midnight(
    asking: Asking, limits: ProviderLimits, which: dict[str, Any], others: dict[str, Any]
) -> None:
    verdicts = await asking.admit(*(wanted(limits, **which) for _ in range(4)))
    other = await asking.admit(wanted(limits, **others))
    asking.now = MIDNIGHT
    next_day = await asking.admit(*(wanted(limits, **which) for _ in range(2)))

    assert kinds(verdicts) == {Go: 2, PutOff: 2}
    first, second = untils(verdicts)
    assert first == MIDNIGHT
    assert second - first == timedelta(seconds=0.02)
    assert other == [Go()]
    assert next_day == [Go(), Go()]


async def test_domestic_texts_do_not_wait_for_texts_abroad(asking: Asking) -> None:
    limits = ProviderLimits(international_texts=0)

    assert kinds(await asking.admit(text(limits, international=True), text(limits))) == {Go: 1, PutOff: 1}


async def test_a_day_that_has_turned_for_another_has_turned(asking: Asking) -> None:
    limits = ProviderLimits(emails=1)
    asking.now = MIDNIGHT
    await asking.admit(wanted(limits))
    asking.now = MIDNIGHT - SECOND
    (verdict,) = await asking.admit(wanted(limits))

    assert untils([verdict]) == [MIDNIGHT + timedelta(days=1)]


async def test_a_delivery_counts_once_in_the_day_however_often_it_is_tried(asking: Asking) -> None:
    limits = ProviderLimits(emails=2)
    one = wanted(limits)
    tried = replace(one, tried=True)

    assert await asking.admit(one) == [Go()]
    assert await asking.admit(tried) == [Go()]
    assert kinds(await asking.admit(wanted(limits), wanted(limits))) == {Go: 1, PutOff: 1}
    assert await asking.admit(tried) == [Go()]


async def test_a_day_that_the_provider_ends_is_ended_for_that_channel(asking: Asking) -> None:
    await asking.slow_down(daily=Channel.EMAIL)
    verdicts = await asking.admit(wanted(), wanted(tried=True), wanted(channel=Channel.LETTER))
    asking.now = MIDNIGHT

    assert [type(each) for each in verdicts] == [PutOff, PutOff, Go]
    assert min(untils(verdicts)) == MIDNIGHT
    assert await asking.admit(wanted()) == [Go()]


async def test_a_day_that_the_provider_ends_for_texts_abroad_is_not_ended_for_others(asking: Asking) -> None:
    await asking.slow_down(daily=Channel.TEXT, international=True)

    assert kinds(await asking.admit(text(international=True), text())) == {PutOff: 1, Go: 1}


# The hour


async def test_of_the_same_text_only_twenty_go_to_a_number_in_an_hour(asking: Asking) -> None:
    first = await asking.admit(*(text() for _ in range(5)))
    asking.now += timedelta(minutes=10)
    verdicts = await asking.admit(
        *(text() for _ in range(20)), text(content=b"other"), text(recipient=b"joe")
    )

    assert kinds(first) == {Go: 5}
    assert verdicts[:15] == [Go()] * 15
    assert untils(verdicts) == [NOON + HOUR] * 5
    assert verdicts[-2:] == [Go(), Go()]
    asking.now = NOON + HOUR
    assert kinds(await asking.admit(*(text() for _ in range(6)))) == {Go: 5, PutOff: 1}


async def test_of_any_texts_only_a_hundred_go_to_a_number_in_an_hour(asking: Asking) -> None:
    verdicts = await asking.admit(*(text(content=b"%d" % number) for number in range(101)))
    elsewhere = await asking.admit(text(recipient=b"joe"), wanted(channel=Channel.EMAIL))

    assert kinds(verdicts) == {Go: 100, PutOff: 1}
    assert untils(verdicts) == [NOON + HOUR]
    assert elsewhere == [Go(), Go()]


async def test_what_waits_for_the_hour_takes_no_token(asking: Asking) -> None:
    limits = replace(SLOW, same_text_an_hour=1)
    verdicts = await asking.admit(*(text(limits) for _ in range(10)))

    assert kinds(verdicts) == {Go: 1, PutOff: 9}
    assert kinds(await asking.admit(*(wanted() for _ in range(20)))) == {Go: 19, PutOff: 1}


async def test_of_a_template_only_so_many_go_to_a_recipient_in_an_hour(asking: Asking) -> None:
    capped = [wanted(same_template_an_hour=3) for _ in range(4)]
    verdicts = await asking.admit(*capped)
    others = await asking.admit(
        wanted(same_template_an_hour=3, recipient=b"joe"),
        wanted(same_template_an_hour=3, template_id=new_id()),
        wanted(same_template_an_hour=0),
        wanted(same_template_an_hour=3, recipient=None),
    )

    assert verdicts[:3] == [Go()] * 3
    assert verdicts[3] == Suppress(
        "not sent: 3 of this template went to this recipient within an hour, "
        "which is as many as this service sends"
    )
    assert others == [Go()] * 4
    asking.now += HOUR
    assert await asking.admit(wanted(same_template_an_hour=3)) == [Go()]


async def test_what_was_suppressed_or_put_off_has_no_place_in_the_hour(asking: Asking) -> None:
    limits = ProviderLimits(per_minute=60, burst=1)
    await asking.admit(*(wanted(limits, same_template_an_hour=2) for _ in range(3)))
    asking.now += 10 * SECOND

    assert kinds(await asking.admit(wanted(limits, same_template_an_hour=2))) == {Go: 1}


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: text(replace(SLOW, same_text_an_hour=1)), id="the networks'"),
        pytest.param(lambda: wanted(same_template_an_hour=1), id="ours"),
    ],
)
async def test_a_delivery_has_its_place_in_the_hour_however_often_it_is_tried(
    asking: Asking, make: Callable[[], Wanted]
) -> None:
    one = make()
    await asking.admit(one)
    asking.now += HOUR / 2
    again = await asking.admit(replace(one, tried=True))
    asking.now += HOUR / 2
    other = await asking.admit(make())
    asking.now += HOUR / 2

    assert again == [Go()]
    assert Go() not in other  # the last try counts, half an hour ago
    assert await asking.admit(make()) == [Go()]


async def test_what_has_left_the_hour_is_forgotten(asking: Asking) -> None:
    await asking.admit(wanted(same_template_an_hour=1), text(recipient=b"joe"))
    asking.now += HOUR / 2
    await asking.admit(text())
    async with asking.database.transaction() as conn:
        await forget_sends(conn, now=NOON + 2 * HOUR)

    async with asking.database.reading() as conn:
        left = list(await conn.execute(recent_sends.select()))
    assert [row.last_at for row in left] == [NOON + HOUR / 2] * 2  # of its content, and of any


async def test_an_hours_list_does_not_grow_without_end(asking: Asking) -> None:
    for _ in range(100):
        await asking.admit(wanted(same_template_an_hour=5))
        asking.now += HOUR / 2

    async with asking.database.reading() as conn:
        (row,) = await conn.execute(recent_sends.select())
    assert len(row.sends) < 2_000


async def test_what_no_limit_of_the_hour_holds_for_is_not_kept(asking: Asking) -> None:
    unlimited = ProviderLimits(same_text_an_hour=0, texts_an_hour=0)
    await asking.admit(wanted(), wanted(same_template_an_hour=0), text(unlimited))

    async with asking.database.reading() as conn:
        assert list(await conn.execute(recent_sends.select())) == []


# At once


async def test_what_only_this_process_counts_is_not_locked(asking: Asking) -> None:
    await asking.admit(wanted())

    verdicts = await asking.admitted_at_once(text(), wanted(same_template_an_hour=5))

    assert verdicts is not None
    assert [*verdicts.values()] == [Go(), Go()]
    async with asking.database.reading() as conn:
        rows = (await conn.execute(recent_sends.select())).all()
    assert len(rows) == 3


@pytest.mark.parametrize("of_a_text", [False, True], ids=["the bucket", "an hour's list"])
async def test_what_another_has_counted_since_is_not_overlooked(asking: Asking, of_a_text: bool) -> None:
    """Not even the other half of it is written: what goes to the list alone has taken no token."""
    other = Asking(asking.database)
    await asking.admit(wanted())
    batch = asking.database.batch()
    await asking.buckets.admit_at_once(asking.database, batch, [text(), text()], now=NOON)
    await other.admit(text(account=OTHER_ACCOUNT) if of_a_text else wanted())

    with pytest.raises(Outdated):
        await asking.database.write(batch)

    assert kinds(await asking.admit(*(text(same_template_an_hour=0) for _ in range(20)))) == (
        {Go: 19, PutOff: 1} if of_a_text else {Go: 18, PutOff: 2}
    )


async def test_several_accounts_at_once_are_locked(asking: Asking) -> None:
    both = wanted(), wanted(account=OTHER_ACCOUNT)
    await asking.admit(*both)

    assert await asking.admitted_at_once(*both) is None


@pytest.mark.postgres
async def test_who_writes_at_once_takes_the_bucket_before_the_lists(postgres_url: str) -> None:
    """As who locks them does: else the two could wait for each other, and one would be cut off."""
    database = open_database(postgres_url)
    await migrate_database(database)
    asking = Asking(database, at_once=True)
    await asking.admit(text())

    async with database.transaction() as conn:
        await lock_buckets(conn, [ACCOUNT])
        writing = asyncio.create_task(asking.admitted_at_once(text()))
        await asyncio.sleep(BEFORE_A_DEADLOCK_IS_LOOKED_FOR)
        rows = (await conn.execute(recent_sends.select())).all()
        await append_to_lists(conn, {row.id: "" for row in rows}, at=NOON)

    assert [*(await writing or {}).values()] == [Go()]
    await database.close()


# Together


@pytest.mark.postgres
@pytest.mark.parametrize("at_once", [False, True], ids=["locked", "at once"])
async def test_many_at_once_never_spend_more_than_there_is(postgres_url: str, at_once: bool) -> None:
    database = open_database(postgres_url)
    await migrate_database(database)
    workers = [Asking(database, at_once=at_once) for _ in range(4)]
    limits = ProviderLimits(per_minute=60, burst=50, kept_for_singles=0, emails=40)
    batches = [
        [wanted(limits, same_template_an_hour=7, recipient=b"%d" % (number % 4)) for number in range(10)]
        for _ in range(20)
    ]

    verdicts = await asyncio.gather(*(workers[turn % 4].admit(*batch) for turn, batch in enumerate(batches)))

    gone = [
        each.recipient
        for batch, answers in zip(batches, verdicts, strict=True)
        for each, answer in zip(batch, answers, strict=True)
        if answer == Go()
    ]
    assert Counter(gone) == {b"%d" % number: 7 for number in range(4)}
    await database.close()


@pytest.mark.postgres
async def test_accounts_in_any_order_stop_nobody(postgres_url: str) -> None:
    """Whoever locks several buckets, and several recipients, does it in one order."""
    database = open_database(postgres_url)
    await migrate_database(database)
    asking = Asking(database)
    accounts = [bytes([number]) * 16 for number in range(6)]
    limits = ProviderLimits(kept_for_singles=0)

    def batch(turn: int) -> list[Wanted]:
        order = [*accounts[turn % 6 :], *accounts[: turn % 6]]
        return [text(limits, account=each, recipient=each, content=b"%d" % turn) for each in order]

    verdicts = await asyncio.gather(*(asking.admit(*batch(turn)) for turn in range(40)))

    assert [answer for answers in verdicts for answer in answers] == [Go()] * 240
    await database.close()


# Whatever is asked


asked = st.lists(
    st.tuples(
        st.integers(min_value=0, max_value=3_000),  # milliseconds since the batch before
        st.lists(
            st.builds(
                wanted,
                st.just(
                    ProviderLimits(
                        per_minute=120,
                        burst=6,
                        emails=25,
                        texts=15,
                        international_texts=3,
                        same_text_an_hour=3,
                        texts_an_hour=5,
                    )
                ),
                lane=st.integers(0, 1),
                channel=st.sampled_from([Channel.EMAIL, Channel.TEXT]),
                international=st.booleans(),
                recipient=st.sampled_from([b"amala", b"joe", None]),
                content=st.sampled_from([b"hello", b"bye"]),
                same_template_an_hour=st.sampled_from([0, 4]),
                account=st.sampled_from([ACCOUNT, OTHER_ACCOUNT]),
            ),
            min_size=1,
            max_size=12,
        ),
    ),
    min_size=1,
    max_size=12,
)


class Model:
    """Asks the rules without a database, and remembers what went when."""

    def __init__(self) -> None:
        self.buckets: dict[bytes, Bucket] = {}
        self.lists: dict[bytes, str] = defaultdict(str)
        self.gone: list[tuple[datetime, Wanted]] = []
        self.suppressed: list[Wanted] = []
        self.waiting: list[tuple[datetime, Wanted]] = []

    def ask(self, batch: Sequence[Wanted], now: datetime) -> dict[str, Verdict]:
        in_order = sorted(batch, key=lambda each: (each.lane, each.delivery_id))
        for each in batch:
            self.buckets.setdefault(each.account, new_bucket(each.account, each.limits, now=now))
        tills = {each.account: Till(each.account, each.limits) for each in batch}
        verdicts = spend(in_order, tills, self.buckets, now=now)
        refused = self._refused([each for each in in_order if verdicts[each.delivery_id] == Go()], now)
        give_back(in_order, refused, tills, self.buckets)
        verdicts |= refused
        for each in batch:
            verdict = verdicts[each.delivery_id]
            if isinstance(verdict, PutOff):
                assert verdict.until > now
                self.waiting.append((verdict.until, each))
            elif isinstance(verdict, Go):
                self.gone.append((now, each))
            else:
                self.suppressed.append(each)
        return {each.delivery_id: verdicts[each.delivery_id] for each in batch}

    def _refused(self, going: Sequence[Wanted], now: datetime) -> dict[str, Verdict]:
        needed = {each.delivery_id: places(each) for each in going}
        every = {place.list_id for found in needed.values() for place in found}
        hour = Hour({list_id: self.lists[list_id] for list_id in every}, now=now)
        refused: dict[str, Verdict] = {}
        for each in going:
            if verdict := hour.judge(each, needed[each.delivery_id]):
                refused[each.delivery_id] = verdict
                continue
            for place in needed[each.delivery_id]:
                self.lists[place.list_id] += entry(each, now=to_microseconds(now))
        return refused


def play(batches: list[tuple[int, list[Wanted]]]) -> Model:
    """Each batch at its time; what was put off comes back at its own, with whatever else is due."""
    model, now = Model(), NOON
    for wait, batch in batches:
        now += timedelta(milliseconds=wait)
        due = [each for until, each in model.waiting if until <= now]
        model.waiting = [(until, each) for until, each in model.waiting if until > now]
        model.ask([*batch, *due], now)
    for _ in range(5_000):
        if not model.waiting:
            return model
        now = max(now, min(until for until, _ in model.waiting))
        due = [each for until, each in model.waiting if until <= now]
        model.waiting = [(until, each) for until, each in model.waiting if until > now]
        model.ask(due, now)
    raise AssertionError("something waits for ever")


@settings(max_examples=150)
@given(batches=asked)
def test_never_more_than_allowed_and_nothing_waits_for_ever(batches: list[tuple[int, list[Wanted]]]) -> None:
    model = play(batches)

    assert len(model.gone) + len(model.suppressed) == sum(len(batch) for _, batch in batches)
    for account in (ACCOUNT, OTHER_ACCOUNT):
        gone = [(at, each) for at, each in model.gone if each.account == account]
        _check_every_window(gone)
        for which, most in ((Channel.EMAIL, 25), (Channel.TEXT, 15)):
            assert _most_in_a_day([at for at, each in gone if each.channel is which]) <= most
        abroad = [at for at, each in gone if each.channel is Channel.TEXT and each.international]
        assert _most_in_a_day(abroad) <= 3
    counted = [(at, each) for at, each in model.gone if each.recipient is not None]
    texts = [(at, each) for at, each in counted if each.channel is Channel.TEXT]
    assert _most_in_an_hour(texts, lambda each: (each.recipient, each.content)) <= 3
    assert _most_in_an_hour(texts, lambda each: each.recipient) <= 5


def _check_every_window(gone: list[tuple[datetime, Wanted]]) -> None:
    times = sorted(at for at, _ in gone)
    for first in range(len(times)):
        for last in range(first, len(times)):
            seconds = (times[last] - times[first]).total_seconds()
            assert last - first + 1 <= 6 + seconds * 2 + 1e-6


def _most_in_a_day(times: list[datetime]) -> int:
    return max(Counter(at.date() for at in times).values(), default=0)


def _most_in_an_hour(gone: list[tuple[datetime, Wanted]], of: Callable[[Wanted], Any]) -> int:
    return max(
        (
            sum(of(other) == of(each) and at - HOUR < earlier <= at for earlier, other in gone)
            for at, each in gone
        ),
        default=0,
    )


@pytest.mark.parametrize("at_once", [False, True], ids=["locked", "at once"])
def test_the_tables_say_what_the_rules_say(database_url: str, at_once: bool) -> None:
    """Whatever is asked in whatever batches: what is kept between them changes no verdict."""
    with asyncio.Runner() as runner:
        database = open_database(database_url)
        runner.run(migrate_database(database))
        asking = Asking(database, at_once=at_once)

        @settings(max_examples=25)
        @given(batches=asked)
        def agree(batches: list[tuple[int, list[Wanted]]]) -> None:
            model, asking.now, salt = Model(), NOON, new_id().encode()
            for wait, batch in batches:
                asking.now += timedelta(milliseconds=wait)
                fresh = [_salted(each, salt) for each in batch]
                assert runner.run(asking.admit(*fresh)) == list(model.ask(fresh, asking.now).values())

        agree()
        runner.run(database.close())


def _salted(each: Wanted, salt: bytes) -> Wanted:
    """The same for another account and recipient: of what was asked before nothing is known."""
    recipient = None if each.recipient is None else each.recipient + salt
    return replace(each, delivery_id=new_id(), account=each.account + salt, recipient=recipient)
