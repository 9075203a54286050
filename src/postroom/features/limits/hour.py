"""What went to whom within the hour. Pure: entries are read from the table while their rows are locked.

A row is an hour's list: of one template to a recipient, of one text's content to a number, or of any texts
to it. Each entry is a delivery and the moment of its last try; a delivery has one place in a list.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple

from postroom.domain.channel import Channel
from postroom.features.limits.verdicts import PutOff, Suppress, Wanted
from postroom.kit.database.types import to_microseconds

HOUR = timedelta(hours=1)

_HOUR = HOUR // timedelta(microseconds=1)
_ID = 32
_ENTRY = _ID + 14
_MUCH = 16


class Place(NamedTuple):
    """A place in a list, of which there are `most`; more are not sent at all, or wait until one is free."""

    list_id: bytes
    most: int
    what: str
    ends: bool


def places(wanted: Wanted) -> list[Place]:
    """The places that a delivery needs; none where no limit of the hour holds for it."""
    if wanted.recipient is None:
        return []
    needed = []
    cap = wanted.same_template_an_hour
    if cap:
        needed.append(
            Place(_list_id(b"template", wanted.recipient, wanted.template_id.encode()), cap, "", True)
        )
    if wanted.channel is Channel.TEXT:
        same, any_text = wanted.limits.same_text_an_hour, wanted.limits.texts_an_hour
        if same and wanted.content is not None:
            list_id = _list_id(b"content", wanted.recipient, wanted.content)
            needed.append(Place(list_id, same, "of this content", False))
        if any_text:
            needed.append(Place(_list_id(b"texts", wanted.recipient, b""), any_text, "of any content", False))
    return needed


def entry(wanted: Wanted, *, now: int) -> str:
    """A delivery in a list: its id and the moment in microseconds, in hexadecimal digits."""
    return f"{wanted.delivery_id.replace('-', '')}{now:014x}"


class Hour:
    """Lists of the last hour, as they were before those that are to be judged now were added."""

    def __init__(self, lists: Mapping[bytes, str], *, now: datetime) -> None:
        self._now = to_microseconds(now)
        self._moment = now
        self._lists = {list_id: dict(self._entries(text)) for list_id, text in lists.items()}
        self._kept = {list_id: len(text) // _ENTRY for list_id, text in lists.items()}
        self._changed: set[bytes] = set()

    def judge(self, wanted: Wanted, needed: Sequence[Place]) -> PutOff | Suppress | None:
        """None where there is room for it, or where it has its places since an earlier try: they are its."""
        delivery_id = wanted.delivery_id.replace("-", "")
        waits = []
        for place in needed:
            entries = self._lists[place.list_id]
            if delivery_id in entries or len(entries) < place.most:
                continue
            if place.ends:
                return self._refused(needed, Suppress(_NOT_SENT.format(place.most)))
            waits.append((self._free_at(entries, place.most), _WAITS.format(place.most, place.what)))
        if waits:
            return self._refused(needed, PutOff(*max(waits)))
        for place in needed:
            entries = self._lists[place.list_id]
            if entries.pop(delivery_id, None) is not None:
                self._changed.add(place.list_id)
            entries[delivery_id] = self._now
        return None

    def text(self, list_id: bytes) -> str:
        """A list as it is now, with those that were let in since."""
        return "".join(f"{name}{at:014x}" for name, at in self._lists[list_id].items())

    def rewritten(self) -> Iterator[tuple[bytes, str]]:
        """The lists whose rows hold what has no place there: refusals, earlier tries, much that is old."""
        for list_id, entries in self._lists.items():
            if list_id in self._changed or self._kept[list_id] > 2 * len(entries) + _MUCH:
                yield list_id, self.text(list_id)

    def _entries(self, text: str) -> Iterator[tuple[str, int]]:
        for start in range(0, len(text), _ENTRY):
            at = int(text[start + _ID : start + _ENTRY], 16)
            if at > self._now - _HOUR:
                yield text[start : start + _ID], at

    def _refused(self, needed: Sequence[Place], verdict: PutOff | Suppress) -> PutOff | Suppress:
        self._changed.update(place.list_id for place in needed)
        return verdict

    def _free_at(self, entries: Mapping[str, int], most: int) -> datetime:
        """When so many have left the hour that there is room for one more."""
        last_to_leave = sorted(entries.values())[len(entries) - most]
        return self._moment + timedelta(microseconds=last_to_leave + _HOUR - self._now)


_NOT_SENT = (
    "not sent: {} of this template went to this recipient within an hour, "
    "which is as many as this service sends"
)
_WAITS = "waits: {} texts {} went to this number within an hour"


def _list_id(kind: bytes, recipient: bytes, what: bytes) -> bytes:
    return blake2b(recipient + what, digest_size=16, person=kind).digest()
