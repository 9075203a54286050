"""Letters by a template: the address is part of the personalisation."""

from collections.abc import Mapping
from typing import Any

from notify_rules.errors import InvalidPostalAddress
from notify_rules.placeholders import normalise_name
from notify_rules.postal_address import check_postal_address
from postroom.channels.contract import Parcel, Recipient
from postroom.channels.govuk_notify import NotifyClient
from postroom.domain.errors import FieldError
from postroom.domain.notification import Personal
from postroom.domain.outcome import Outcome, Rejected

_LINES = tuple(f"addressline{number}" for number in range(1, 8))
_ADDRESS = frozenset((*_LINES, "postcode"))


class LetterCarrier:
    notify_type = "letter"

    def check(self, personal: Personal, *, prepend_name: bool) -> list[FieldError]:
        try:
            # Whether a service may send abroad is Notify's to know; it refuses at once where it may not.
            check_postal_address(_lines(personal, prepend_name=prepend_name), international=True)
        except InvalidPostalAddress as error:
            return [FieldError("personalisationParams.addressLine1", f"{error.message.rstrip('.')}.")]
        return []

    def personalisation(self, personal: Personal, *, prepend_name: bool) -> Mapping[str, Any]:
        """The values with the address under the only names that Notify reads: address_line_1 … _7."""
        others = {
            name: value
            for name, value in (personal.personalisation or {}).items()
            if normalise_name(name) not in _ADDRESS
        }
        lines = _lines(personal, prepend_name=prepend_name)
        return others | {f"address_line_{number}": line for number, line in enumerate(lines, start=1)}

    def recipient(self, personal: Personal, *, prepend_name: bool) -> Recipient:
        # Whether it goes abroad, a letter's limits do not ask.
        return Recipient("\n".join(_lines(personal, prepend_name=prepend_name)).lower())

    def is_simulated(self, personal: Personal) -> bool:
        return False

    async def send(self, client: NotifyClient, parcel: Parcel) -> Outcome:
        if parcel.personal.personalisation is None:
            return Rejected("the address is kept no longer", 0)
        return await client.send_letter(
            template_id=parcel.template_id,
            personalisation=self.personalisation(parcel.personal, prepend_name=parcel.prepend_name),
            reference=parcel.reference,
            until=parcel.until,
        )


def _lines(personal: Personal, *, prepend_name: bool) -> list[str]:
    """The lines that are not blank, in order, whatever way their names are written."""
    values = {normalise_name(name): value for name, value in (personal.personalisation or {}).items()}
    lines = [values.get(name) for name in (*_LINES, "postcode")]
    if prepend_name:
        lines.insert(0, " ".join(str(values[part]) for part in ("firstname", "lastname") if values.get(part)))
    return [str(line).strip() for line in lines if line is not None and str(line).strip()]
