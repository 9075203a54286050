"""What a channel that a provider carries does: check a recipient, and send to one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from postroom.channels.govuk_notify import NotifyClient
from postroom.domain.errors import FieldError
from postroom.domain.notification import Personal
from postroom.domain.outcome import Outcome


class Recipient(NamedTuple):
    """Where a channel's message goes, written in one way however it was given."""

    text: str
    international: bool = False


@dataclass(frozen=True, slots=True)
class Parcel:
    """All that is needed for one attempt. `reference` is the delivery's id.

    The provider is to refuse it later than `until`: somebody else may be sending it by then.
    """

    reference: str
    template_id: str
    personal: Personal
    until: datetime
    prepend_name: bool = False


class Carrier(Protocol):
    notify_type: str
    """What the provider calls this channel."""

    def check(self, personal: Personal, *, prepend_name: bool) -> list[FieldError]:
        """Every field that would keep it from being sent, checked as the provider would."""

    def personalisation(self, personal: Personal, *, prepend_name: bool) -> Mapping[str, Any]:
        """The values as the provider wants them."""

    def recipient(self, personal: Personal, *, prepend_name: bool) -> Recipient:
        """Whom it goes to; only of what was checked and found right."""

    def is_simulated(self, personal: Personal) -> bool:
        """Whether the recipient is one for whom the provider only pretends to send."""

    async def send(self, client: NotifyClient, parcel: Parcel) -> Outcome:
        """One attempt."""
