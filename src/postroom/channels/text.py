"""Text messages."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from notify_rules.errors import InvalidPhoneNumber
from notify_rules.phone_number import TOO_MANY_DIGITS, PhoneNumber, check_phone_number
from notify_rules.simulated import is_simulated
from postroom.channels.contract import Parcel, Recipient
from postroom.channels.govuk_notify import NotifyClient
from postroom.domain.errors import FieldError
from postroom.domain.notification import Personal
from postroom.domain.outcome import Outcome, Rejected

_NATIONAL = re.compile(r"\W*0(?!0)")
"""One zero in front: a number of this country."""


class TextCarrier:
    notify_type = "sms"

    def check(self, personal: Personal, *, prepend_name: bool) -> list[FieldError]:
        if not personal.mobile_number:
            return [FieldError("mobileNumber", "Enter the mobile number to send to.")]
        try:
            _number(personal.mobile_number)
        except InvalidPhoneNumber as error:
            return [FieldError("mobileNumber", f"{error.message}.")]
        return []

    def personalisation(self, personal: Personal, *, prepend_name: bool) -> Mapping[str, Any]:
        return personal.personalisation or {}

    def recipient(self, personal: Personal, *, prepend_name: bool) -> Recipient:
        number = _number(personal.mobile_number or "")
        return Recipient(number.e164, international=number.international)

    def is_simulated(self, personal: Personal) -> bool:
        return is_simulated(personal.mobile_number or "")

    async def send(self, client: NotifyClient, parcel: Parcel) -> Outcome:
        if parcel.personal.mobile_number is None:
            return Rejected("the mobile number is kept no longer", 0)
        return await client.send_text(
            phone_number=parcel.personal.mobile_number,
            template_id=parcel.template_id,
            personalisation=self.personalisation(parcel.personal, prepend_name=False),
            reference=parcel.reference,
            until=parcel.until,
        )


# A request asks twice about its number, and to read one takes 50 µs.
@lru_cache(maxsize=64)
def _number(text: str) -> PhoneNumber:
    # Whether a service may send abroad is Notify's to know; it refuses at once where it may not.
    number = check_phone_number(text, international=True)
    if number.international and _NATIONAL.match(text):
        # A digit too many in a number of ours: Notify would text somebody abroad.
        raise InvalidPhoneNumber(TOO_MANY_DIGITS)
    return number
