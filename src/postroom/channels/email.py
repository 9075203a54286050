"""Emails."""

from collections.abc import Mapping
from typing import Any

from notify_rules.email_address import check_email_address
from notify_rules.errors import InvalidEmailAddress
from notify_rules.simulated import is_simulated
from postroom.channels.contract import Parcel, Recipient
from postroom.channels.govuk_notify import NotifyClient
from postroom.channels.plain_values import shown_as_they_are
from postroom.domain.errors import FieldError
from postroom.domain.notification import Personal
from postroom.domain.outcome import Outcome, Rejected


class EmailCarrier:
    notify_type = "email"

    def check(self, personal: Personal, *, prepend_name: bool) -> list[FieldError]:
        if not personal.email:
            return [FieldError("email", "Enter the email address to send to.")]
        try:
            check_email_address(personal.email)
        except InvalidEmailAddress as error:
            return [FieldError("email", f"{error.message}.")]
        return []

    def personalisation(self, personal: Personal, *, prepend_name: bool) -> Mapping[str, Any]:
        """The values so that none makes a link or a heading, but for those that the service trusts."""
        return shown_as_they_are(personal.personalisation or {}, trusted=personal.trusted)

    def recipient(self, personal: Personal, *, prepend_name: bool) -> Recipient:
        return Recipient((personal.email or "").strip().lower())

    def is_simulated(self, personal: Personal) -> bool:
        return is_simulated(personal.email or "")

    async def send(self, client: NotifyClient, parcel: Parcel) -> Outcome:
        if parcel.personal.email is None:
            return Rejected("the email address is kept no longer", 0)
        return await client.send_email(
            email_address=parcel.personal.email,
            template_id=parcel.template_id,
            personalisation=self.personalisation(parcel.personal, prepend_name=False),
            reference=parcel.reference,
            until=parcel.until,
        )
