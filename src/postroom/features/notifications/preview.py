"""What would go out: a template with values put in, as the provider would write it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from postroom.channels import attachment
from postroom.channels.carriers import CARRIERS
from postroom.channels.govuk_notify import NotifyClients, NotifyTemplate, TemplatePreview, asked_for_a_caller
from postroom.domain.channel import Channel
from postroom.domain.errors import FieldError, Invalid, NotFound
from postroom.domain.notification import Personal
from postroom.features.notifications.request import check_personalisation
from postroom.features.services import Credential
from postroom.features.templates import Catalogue, check_values

NO_TEMPLATE = "This service has no such template."


@dataclass(frozen=True, slots=True)
class Wanted:
    """The template to fill in, and with what; `faults` were found while that was read."""

    template_id: str
    values: dict[str, Any] = field(repr=False)
    trusted: tuple[str, ...] = ()
    always_trusted: tuple[str, ...] = ()
    """What the service trusts in every email: not all of it need be among the values."""
    faults: tuple[FieldError, ...] = ()


async def preview(
    wanted: Wanted, *, credential: Credential, catalogue: Catalogue, clients: NotifyClients
) -> TemplatePreview:
    """The filled-in template, made by the provider itself with what an email, text or letter would be sent.

    Invalid with every field at fault, NotFound where there is no such template. Busy where the provider does
    not answer: what Postroom would write in its place would only nearly be what goes out.
    """
    with asked_for_a_caller():
        template = (await catalogue.current(credential)).get(wanted.template_id)
    if template is None:
        raise NotFound(NO_TEMPLATE)
    values = _checked(template, wanted)
    client = clients.of(base_url=credential.base_url, key=credential.key)
    with asked_for_a_caller():
        try:
            made = await client.preview(template.id, personalisation=values)
        except ValueError:
            # The template is another by now than the catalogue knows.
            raise Invalid(
                [FieldError("personalisationParams", "GOV.UK Notify needs other values for this template.")]
            ) from None
    if made is None:
        raise NotFound(NO_TEMPLATE)
    return made


def _checked(template: NotifyTemplate, wanted: Wanted) -> Mapping[str, Any]:
    """The values as they would be sent; Invalid with every fault."""
    channel = _channel_of(template)
    faults = [
        *wanted.faults,
        *check_personalisation(wanted.values, carried=(channel,), trusted=wanted.trusted),
    ]
    personal = Personal(personalisation=wanted.values, trusted=wanted.trusted + wanted.always_trusted)
    sent = CARRIERS[channel].personalisation(personal, prepend_name=False)
    faults += check_values(template, given=sent).errors
    if faults:
        raise Invalid(list({fault.field: fault for fault in reversed(faults)}.values())[::-1])
    return {name: _shown(value) for name, value in sent.items()}


def _channel_of(template: NotifyTemplate) -> Channel:
    for channel, carrier in CARRIERS.items():
        if carrier.notify_type == template.type:
            return channel
    raise NotFound(NO_TEMPLATE)


def _shown(value: Any) -> Any:
    """A file is uploaded only when it is sent: in its place stands what its link is to."""
    if not attachment.is_file(value):
        return value
    return f"(a link to {value.get('filename') or 'the file'})"
