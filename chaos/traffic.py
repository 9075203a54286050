"""What is posted in a run: emails, texts and letters, alone and in bulk, once and again."""

import random
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Any

import msgspec

LIVE, TEAM, TEST = "chaos-live", "chaos-team", "chaos-test"
"""Services, each with a key of that type: a team key's calls to anybody else are refused for good, and a
test key knows recipients whose messages fail."""

SERVICES = {LIVE: "live", TEAM: "team", TEST: "test"}

_SHARE_WITHOUT_KEY = 0.2
_SHARE_POSTED_AGAIN = 0.15
_SHARE_REMOVED = 0.07
_SHARE_IN_BULK = 0.3
_BULK = (5, 60)
_FEWEST_WITH_BULK = 100


class Fate(StrEnum):
    """What the provider makes of it, if it is asked."""

    TAKEN = "taken"
    REFUSED = "refused"
    """Refused for good, and never taken."""
    SIMULATED = "simulated"
    """Said to be taken, and nowhere on record."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One notification. `number` tells it from all others of the run: it is its `targetId`."""

    number: int
    kind: str
    channels: tuple[str, ...]
    fate: Fate
    to: dict[str, str]
    values: dict[str, str]

    @property
    def target_id(self) -> str:
        return f"chaos-{self.number}"


class Post(msgspec.Struct, frozen=True, kw_only=True):
    """One request. Of several items it is a bulk. Only what has a key is ever posted again."""

    at: float
    service: str
    items: tuple[Item, ...]
    door: int
    """Which of the APIs it is posted to first."""
    key: str | None = None
    again_after: tuple[float, ...] = ()
    remove_after: float | None = None

    @property
    def is_bulk(self) -> bool:
        return len(self.items) > 1

    @property
    def kinds(self) -> Iterator[str]:
        yield "request in bulk" if self.is_bulk else "request alone"
        yield from ["without a key"] * (self.key is None)
        yield from ["repeat"] * len(self.again_after)
        yield from ["removal"] * (self.remove_after is not None)
        yield from (item.kind for item in self.items)


Maker = Callable[[random.Random, int], dict[str, Any]]


def plan_posts(chance: random.Random, *, seconds: float, per_second: float) -> tuple[Post, ...]:
    """About `per_second` notifications a second, those in bulk among them."""
    wanted = int(seconds * per_second)
    in_bulk = int(wanted * _SHARE_IN_BULK) if wanted >= _FEWEST_WITH_BULK else 0
    posts: list[Post] = []
    number = 0
    while number < in_bulk:
        size = min(chance.randint(*_BULK), max(in_bulk - number, 2))
        posts.append(_bulk(chance, number, size, seconds))
        number += size
    while number < wanted:
        posts.append(_alone(chance, number, seconds))
        number += 1
    return tuple(sorted(posts, key=lambda post: post.at))


def _bulk(chance: random.Random, number: int, size: int, seconds: float) -> Post:
    items = tuple(_item(chance, number + place, chance.choice((_email, _text))) for place in range(size))
    return Post(
        at=_moment(chance, seconds),
        service=LIVE,
        items=items,
        door=chance.randrange(2),
        key=f"bulk-{number}-{chance.getrandbits(64):x}",
        again_after=_again(chance),
    )


def _alone(chance: random.Random, number: int, seconds: float) -> Post:
    (service, make), *_ = chance.choices(list(_ALONE), weights=list(_ALONE.values()))
    key = None if chance.random() < _SHARE_WITHOUT_KEY else f"one-{number}-{chance.getrandbits(64):x}"
    return Post(
        at=_moment(chance, seconds),
        service=service,
        items=(_item(chance, number, make),),
        door=chance.randrange(2),
        key=key,
        again_after=() if key is None else _again(chance),
        remove_after=round(chance.uniform(0, 2), 3) if chance.random() < _SHARE_REMOVED else None,
    )


def _item(chance: random.Random, number: int, make: Maker) -> Item:
    made: dict[str, Any] = {"fate": Fate.TAKEN} | make(chance, number)
    return Item(number=number, kind=make.__name__.strip("_").replace("_", " "), **made)


def _moment(chance: random.Random, seconds: float) -> float:
    return round(chance.uniform(0, seconds), 3)


def _again(chance: random.Random) -> tuple[float, ...]:
    """At once, as one who did not wait for the answer, or after a while; now and then twice."""
    if chance.random() > _SHARE_POSTED_AGAIN:
        return ()
    return tuple(round(chance.choice((0.0, chance.uniform(0, 8))), 3) for _ in range(chance.randint(1, 2)))


def _email(_: random.Random, number: int) -> dict[str, Any]:
    return {
        "channels": ("Email",),
        "to": {"email": f"resident-{number}@example.com"},
        "values": {"name": f"Resident {number}", "ref": f"REF-{number}"},
    }


def _text(chance: random.Random, number: int) -> dict[str, Any]:
    return {
        "channels": ("Text",),
        "to": {"mobileNumber": _mobile(chance)},
        "values": {"name": f"Resident {number}", "code": str(number)},
    }


def _text_abroad(chance: random.Random, number: int) -> dict[str, Any]:
    """Networks abroad say nothing more: it ends as sent."""
    return _text(chance, number) | {"to": {"mobileNumber": f"+336123{chance.randrange(100_000):05}"}}


def _letter(_: random.Random, number: int) -> dict[str, Any]:
    lines = {"address_line_1": "Amala", "address_line_2": f"{number + 1} Hillman Street"}
    return {
        "channels": ("Letter",),
        "to": {},
        "values": {"name": "Amala", "postcode": "E8 1DY"} | lines,
    }


def _email_and_text(chance: random.Random, number: int) -> dict[str, Any]:
    email, text = _email(chance, number), _text(chance, number)
    return {
        "channels": ("Email", "Text"),
        "to": email["to"] | text["to"],
        "values": email["values"] | text["values"],
    }


def _email_refused(_: random.Random, number: int) -> dict[str, Any]:
    """A team key reaches nobody but the team."""
    return _email(_, number) | {"fate": Fate.REFUSED}


def _email_to_nowhere(_: random.Random, number: int) -> dict[str, Any]:
    return _email(_, number) | {"to": {"email": "perm-fail@simulator.notify"}}


def _text_that_fails(chance: random.Random, number: int) -> dict[str, Any]:
    return _text(chance, number) | {"to": {"mobileNumber": "07700900003"}}


def _email_simulated(_: random.Random, number: int) -> dict[str, Any]:
    to = {"email": "simulate-delivered@notifications.service.gov.uk"}
    return _email(_, number) | {"to": to, "fate": Fate.SIMULATED}


_ALONE: dict[tuple[str, Maker], int] = {
    (LIVE, _email): 50,
    (LIVE, _text): 22,
    (LIVE, _letter): 4,
    (LIVE, _email_and_text): 6,
    (LIVE, _text_abroad): 3,
    (LIVE, _email_simulated): 2,
    (TEAM, _email_refused): 5,
    (TEST, _email_to_nowhere): 4,
    (TEST, _text_that_fails): 4,
}


def _mobile(chance: random.Random) -> str:
    """One of the numbers that are kept free for drama, but for those that Notify simulates."""
    return f"07700900{chance.randrange(300, 1000)}"
