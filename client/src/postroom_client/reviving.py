"""The operations on dead letters: deliveries that were given up, or of which somebody has to decide."""

from datetime import datetime
from functools import partial
from typing import TypedDict, Unpack

from postroom_client.models import DeadLetter, Replayed
from postroom_client.operation import Operation, Page, Request
from postroom_client.outgoing import Channel
from postroom_client.reading import in_query, page_of, path_of, read, read_all
from postroom_client.sending import json_request

_ON_THE_WIRE = {
    "channel": "channel",
    "template_id": "templateId",
    "reference": "reference",
    "cause": "cause",
    "died_from": "diedFrom",
    "died_to": "diedTo",
}


class DeadLetterFilters(TypedDict, total=False):
    """Which are meant: those that fit everything."""

    channel: Channel | None
    template_id: str | None
    reference: str | None
    cause: str | None
    died_from: datetime | None
    died_to: datetime | None


def dead_letters(
    _service: str | None, /, *, page_size: int = 200, **filters: Unpack[DeadLetterFilters]
) -> Operation[Page[DeadLetter]]:
    """All that fit, the newest first, each with what was tried."""
    query = [*_told({**filters}).items(), ("limit", str(page_size))]
    return page_of(Request(method="GET", path="/dead-letters", query=query), partial(read_all, DeadLetter))


def dead_letter(_service: str | None, /, delivery_id: str) -> Operation[DeadLetter]:
    """One of them."""
    request = Request(method="GET", path=path_of("dead-letters", delivery_id))
    return Operation(request=request, parse=partial(read, DeadLetter))


def replay(_service: str | None, /, delivery_id: str, *, may_send_twice: bool = False) -> Operation[Replayed]:
    """Send it after all. One that may have been sent asks for `may_send_twice`."""
    path = path_of("dead-letters", delivery_id) + "/replay"
    request = json_request("POST", path, {"maySendTwice": may_send_twice})
    return Operation(request=request, parse=partial(read, Replayed), repeatable=False)


def replay_many(
    _service: str | None, /, *, may_send_twice: bool = False, **filters: Unpack[DeadLetterFilters]
) -> Operation[Replayed]:
    """Send all that fit after all; without a filter, every one."""
    told = _told({**filters})
    body = {**told, "maySendTwice": may_send_twice} | ({} if told else {"all": True})
    request = json_request("POST", "/dead-letters/replay", body)
    return Operation(request=request, parse=partial(read, Replayed), repeatable=False)


def _told(filters: dict[str, object]) -> dict[str, str]:
    if unknown := filters.keys() - _ON_THE_WIRE.keys():
        # Passed over, it would send more than was meant.
        raise TypeError(f"There is no filter {', '.join(sorted(unknown))}.")
    return {_ON_THE_WIRE[name]: in_query(value) for name, value in filters.items() if value is not None}
