"""Many requests in one call: each is accepted or refused by itself, and all give way to what came alone."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

from postroom.domain.caller import ServiceCaller
from postroom.domain.errors import FieldError
from postroom.domain.lane import Lane
from postroom.domain.notification import Notification
from postroom.features.notifications.create import Created, Creator
from postroom.features.notifications.idempotency import Once
from postroom.features.notifications.request import NewNotification

LARGEST = 1_000
_WRITTEN_TOGETHER = 64
"""One transaction's worth: what comes alone meanwhile waits for that much of a bulk, and no more."""


@dataclass(frozen=True, slots=True)
class Item:
    """One request of a bulk; `faults` were found while it was read."""

    new: NewNotification | None
    faults: Sequence[FieldError] = ()
    refused: Exception | None = None
    """Why it is refused whole, where it could not be read at all."""


@dataclass(frozen=True, slots=True)
class BulkOnce:
    """A caller's wish that this bulk counts once. `body` is the same for bulks that say the same."""

    key: str
    body: bytes = field(repr=False)

    def of_each(self, number: int) -> list[Once]:
        """A key for each item. No caller can send such a key, so none of its own is ever taken for one."""
        digest = blake2b(self.body, digest_size=32).hexdigest().encode()
        return [Once(key=f"{self.key}\0{place}", body=digest) for place in range(number)]


async def create_many(
    items: Sequence[Item],
    *,
    creator: Creator,
    caller: ServiceCaller,
    now: datetime,
    once: BulkOnce | None = None,
) -> list[Created | Exception]:
    """What became of each item, in their order: accepted durably, or why not.

    KeyMisused, with nothing accepted, where the key came with another bulk. The same bulk again takes up what
    was not accepted the first time.
    """
    keys: list[Once | None] = [None] * len(items) if once is None else [*once.of_each(len(items))]
    wanted = [key for key in keys if key is not None]
    known = await creator.made_before(wanted, caller=caller, now=now) if wanted else {}
    results: list[Created | Exception] = []
    for start in range(0, len(items), _WRITTEN_TOGETHER):
        some = range(start, min(start + _WRITTEN_TOGETHER, len(items)))
        each = (_create(items[i], creator, caller, now, keys[i], known) for i in some)
        results += [_unless_fatal(one) for one in await asyncio.gather(*each, return_exceptions=True)]
    return results


async def check_many(
    items: Sequence[Item], *, creator: Creator, caller: ServiceCaller, now: datetime
) -> list[Notification | Exception]:
    """What would become of each item, in their order, had it been sent to be accepted. Nothing is kept."""
    return [await _check(item, creator, caller, now) for item in items]


async def _check(
    item: Item, creator: Creator, caller: ServiceCaller, now: datetime
) -> Notification | Exception:
    try:
        return await creator.check(_read(item), caller=caller, now=now, faults=item.faults)
    except Exception as error:
        return error


async def _create(
    item: Item,
    creator: Creator,
    caller: ServiceCaller,
    now: datetime,
    once: Once | None,
    known: Mapping[str, Notification],
) -> Created:
    new = _read(item)
    if once is not None and once.key in known:
        return Created(known[once.key], replayed=True)
    return await creator.create_new(
        new, caller=caller, now=now, faults=item.faults, once=once, lane=Lane.BULK
    )


def _read(item: Item) -> NewNotification:
    if item.new is None:
        raise item.refused or AssertionError("what could not be read says why")
    return item.new


def _unless_fatal(result: Created | BaseException) -> Created | Exception:
    if isinstance(result, Created | Exception):
        return result
    raise result
