"""What went to whom within the hour. Pure: read from the table while the recipients are locked."""

from bisect import insort
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from postroom.domain.channel import Channel
from postroom.features.limits.verdicts import PutOff, Suppress, Wanted

HOUR = timedelta(hours=1)


class Send(NamedTuple):
    """A delivery that went, or is on its way. It counts once, at its last try."""

    delivery_id: str
    recipient: bytes
    content: bytes | None
    template_id: str
    is_text: bool
    at: datetime


def counts(wanted: Wanted) -> bool:
    """Whether an hour's limit holds for this one, so that it is to be recorded."""
    return wanted.recipient is not None and (
        bool(wanted.same_template_an_hour)
        or (
            wanted.channel is Channel.TEXT
            and bool(wanted.limits.same_text_an_hour or wanted.limits.texts_an_hour)
        )
    )


class RecentSends:
    """The sends of the last hour to the recipients in hand, and those that are let go meanwhile."""

    def __init__(self, sends: Iterable[Send], *, now: datetime) -> None:
        self._now = now
        self._holders: set[str] = set()
        self._times: dict[tuple[bytes | str | None, ...], list[datetime]] = defaultdict(list)
        self.gone: list[Send] = []
        for send in sends:
            self._add(send)

    def judge(self, wanted: Wanted) -> PutOff | Suppress | None:
        """None where the hour has room for it, or where it has its place since an earlier try."""
        if not counts(wanted) or wanted.delivery_id in self._holders:
            return None
        most = wanted.same_template_an_hour
        if most and len(self._of_template(wanted)) >= most:
            return Suppress(
                f"not sent: {most} of this template went to this recipient within an hour, "
                "which is as many as this service sends"
            )
        return self._networks(wanted) if wanted.channel is Channel.TEXT else None

    def add(self, wanted: Wanted) -> None:
        """It goes now: its place in the hour is taken."""
        if wanted.recipient is None or not counts(wanted):
            return
        send = Send(
            wanted.delivery_id,
            wanted.recipient,
            wanted.content,
            wanted.template_id,
            wanted.channel is Channel.TEXT,
            self._now,
        )
        self.gone.append(send)
        if wanted.delivery_id not in self._holders:
            self._add(send)

    def _networks(self, wanted: Wanted) -> PutOff | None:
        """Phone networks drop what is more than this, so it waits until it is not."""
        limits = wanted.limits
        waits = [
            (_room_at(times, most), f"waits: {most} texts {what} went to this number within an hour")
            for times, most, what in (
                (self._of_content(wanted), limits.same_text_an_hour, "of this content"),
                (self._texts(wanted), limits.texts_an_hour, "of any content"),
            )
            if most and len(times) >= most
        ]
        return PutOff(*max(waits)) if waits else None

    def _add(self, send: Send) -> None:
        if send.at <= self._now - HOUR:
            return
        self._holders.add(send.delivery_id)
        insort(self._times[send.recipient, send.template_id], send.at)
        if send.is_text:
            insort(self._times[send.recipient, None], send.at)
            insort(self._times[send.recipient, None, send.content], send.at)

    def _of_template(self, wanted: Wanted) -> list[datetime]:
        return self._times[wanted.recipient, wanted.template_id]

    def _texts(self, wanted: Wanted) -> list[datetime]:
        return self._times[wanted.recipient, None]

    def _of_content(self, wanted: Wanted) -> list[datetime]:
        return self._times[wanted.recipient, None, wanted.content]


def _room_at(times: list[datetime], most: int) -> datetime:
    """When so many have left the hour that there is room for one more."""
    return times[len(times) - most] + HOUR
