"""Ids that sort by the time of their making (UUID version 7), as text."""

import re
from datetime import UTC, datetime, timedelta

import uuid_utils

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_BOTTOM = "7000-8000-000000000000"


def new_id() -> str:
    """A new UUIDv7; within one process each is greater than the one before."""
    return str(uuid_utils.uuid7())


def is_id(text: str) -> bool:
    """Whether the text is a UUID in its usual form of 36 characters."""
    return _UUID.fullmatch(text) is not None


def first_id_at(moment: datetime) -> str:
    """The least id that can have been made at that moment, for ranges over time."""
    milliseconds = max((moment - _EPOCH) // _MILLISECOND, 0)
    stamp = f"{milliseconds:012x}"[-12:]
    return f"{stamp[:8]}-{stamp[8:]}-{_BOTTOM}"


def moment_of(made_id: str) -> datetime:
    """When an id of ours was made, to the millisecond."""
    return _EPOCH + int(made_id.replace("-", "")[:12], 16) * _MILLISECOND
