"""The plan of the fire test: the same seed makes the same one, and it holds what it must."""

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.mischief import CALL_TIMEOUT, LEASE, QUIET, Deed, Kind
from chaos.plan import Plan, described, make_plan
from chaos.traffic import SERVICES, TEAM, TEST, Fate

DATABASES = ("sqlite", "postgres")


def plan(seed: int = 7, *, database: str = "postgres", minutes: float = 2) -> Plan:
    return make_plan(seed=seed, database=database, seconds=minutes * 60, per_second=10)


@pytest.mark.parametrize("database", DATABASES)
def test_the_same_seed_makes_the_same_plan_and_another_makes_another(database: str) -> None:
    plans = [msgspec.json.encode(plan(seed, database=database)) for seed in (7, 7, 8)]

    assert plans[0] == plans[1]
    assert plans[0] != plans[2]


def test_a_plan_that_was_written_is_read_as_it_was() -> None:
    assert msgspec.json.decode(msgspec.json.encode(plan()), type=Plan) == plan()


def test_both_databases_are_posted_the_same() -> None:
    assert plan(database="sqlite").posts == plan(database="postgres").posts


@given(seed=st.integers(min_value=0, max_value=10**9), minutes=st.floats(min_value=0.1, max_value=3))
def test_what_is_posted_can_be_told_apart_and_only_what_has_a_key_is_posted_again(
    seed: int, minutes: float
) -> None:
    made = plan(seed, minutes=minutes)
    keys = [post.key for post in made.posts if post.key is not None]
    numbers = [item.number for post in made.posts for item in post.items]

    assert sorted(numbers) == list(range(int(minutes * 60 * 10)))
    assert len(set(keys)) == len(keys)
    assert [post for post in made.posts if post.again_after and post.key is None] == []
    assert [post for post in made.posts if post.is_bulk and post.key is None] == []
    assert all(0 <= post.at <= made.seconds for post in made.posts)
    assert {post.service for post in made.posts} <= set(SERVICES)


@given(seed=st.integers(min_value=0, max_value=10**9), database=st.sampled_from(DATABASES))
def test_nobody_is_in_two_troubles_at_once(seed: int, database: str) -> None:
    ended: Counter[str] = Counter()
    for deed in plan(seed, database=database).deeds:
        assert deed.at >= ended[deed.target], deed
        ended[deed.target] = deed.at + deed.seconds  # type: ignore[assignment]


@given(seed=st.integers(min_value=0, max_value=10**9), database=st.sampled_from(DATABASES))
def test_pauses_outlast_the_lease_and_times_are_in_the_order_that_is_demanded(
    seed: int, database: str
) -> None:
    deeds = plan(seed, database=database).deeds

    assert all(deed.seconds > LEASE for deed in deeds if deed.kind is Kind.PAUSE)
    assert min(LEASE, QUIET) > CALL_TIMEOUT


def test_ten_minutes_hold_every_kind_of_post_and_of_trouble() -> None:
    made = plan(minutes=10)
    items = [item for post in made.posts for item in post.items]
    ways = {deed.how for deed in made.deeds if deed.how is not None}
    notify = {"down", "slow", "error", "limited", "rubbish", "silent"}
    after_accepting = {f"{way}-after-accepting" for way in ("timeout", "reset", "error")}
    receipts = {"doubled", "lost", "late", "disordered"}

    assert {deed.kind for deed in made.deeds} == set(Kind)
    assert ways == notify | after_accepting | receipts
    assert {item.fate for item in items} == set(Fate)
    assert {channel for item in items for channel in item.channels} == {"Email", "Text", "Letter"}
    assert {TEAM, TEST} <= {post.service for post in made.posts}
    kinds = Counter(kind for post in made.posts for kind in post.kinds)
    assert min(kinds[kind] for kind in ("request in bulk", "repeat", "removal", "without a key")) > 20


@pytest.mark.parametrize(
    ("deed", "words"),
    [
        (Deed(at=1, kind=Kind.KILL, target="worker-1", seconds=2), "kill -9 worker-1 for 2.0 s"),
        (Deed(at=1, kind=Kind.CUT, target="connections", share=0.5), "cut connections, 50%"),
        (
            Deed(at=1, kind=Kind.FAULT, target="notify", seconds=3, share=0.25, how="slow", late_by=1.5),
            "fault notify slow by 1.5 s for 3.0 s, 25%",
        ),
    ],
)
def test_a_plan_is_described_deed_by_deed(deed: Deed, words: str) -> None:
    made = msgspec.structs.replace(plan(), deeds=(deed,))

    assert described(made).splitlines()[-1] == f"     1.00  {words}"
