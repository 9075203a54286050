"""What a caller asks for, checked field by field before anything is looked up."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any

import msgspec

from notify_rules.email_address import check_email_address
from notify_rules.errors import InvalidEmailAddress
from notify_rules.placeholders import normalise_name
from postroom.channels import attachment, screen
from postroom.channels.carriers import CARRIERS
from postroom.domain import target_type
from postroom.domain.channel import CARRIED, Channel
from postroom.domain.errors import FieldError
from postroom.domain.escalation import Unless
from postroom.domain.notification import FollowOn, Personal
from postroom.features.notifications.characters import (
    has_control,
    has_control_or_break,
    is_plain,
    without_control,
)

LONGEST_TARGET_ID = 128
LONGEST_MESSAGE = 5_000
LONGEST_REFERENCE = 128
LONGEST_THREAD_KEY = 128
LONGEST_TEMPLATE_ID = 128
LARGEST_PERSONALISATION = 512 * 1024
_SURELY_SMALL = 4 * 1024
_ROUGHLY = _SURELY_SMALL
"""A value that is no text may be a list of any length: it is never taken for small."""

_GROUP = re.compile(r"(group|patch):[^\s,;:][^,;:]{0,119}", re.IGNORECASE)


class NewNotification(msgspec.Struct, frozen=True, dict=True):
    """A request to notify somebody, in our words. Field names in errors are the wire's."""

    channels: tuple[Channel, ...]
    extra_channels: tuple[Channel, ...] = ()
    target_id: str | None = None
    target_type: str | None = None
    user: str | None = None
    message: str | None = None
    service_key: str | None = None
    template_id: str | None = None
    template_ids: Mapping[Channel, str] = msgspec.field(default_factory=dict)
    mobile_number: str | None = None
    email: str | None = None
    personalisation: dict[str, Any] | None = None
    trusted: tuple[str, ...] = ()
    """The values that may make links and headings in an email."""
    require_action: bool = False
    reference: str | None = None
    correlation_id: str | None = None
    sensitive: bool = False
    follow_on: FollowOn | None = None
    escalation: tuple["EscalationStep", ...] = ()
    thread_key: str | None = None
    expires_at: datetime | None = None

    def __repr__(self) -> str:
        """Without what is personal or secret."""
        return f"NewNotification(channels={self.channels!r}, template_id={self.template_id!r})"

    @property
    def carried(self) -> tuple[Channel, ...]:
        """The channels that make a delivery, each once."""
        return _carried((*self.channels, *self.extra_channels))

    @cached_property
    def personal(self) -> Personal:
        return Personal(
            user=None if self.user is None else self.user.strip().lower(),
            message=self.message,
            email=None if self.email is None else self.email.strip(),
            mobile_number=self.mobile_number,
            personalisation=self.personalisation,
            trusted=self.trusted,
            sensitive=self.sensitive,
            follow_on=self.follow_on,
            escalation=tuple([step.told for step in self.escalation]) if self.escalation else (),
            thread_key=self.thread_key,
            expires_at=self.expires_at,
        )

    def template_for(self, channel: Channel) -> tuple[str, str | None]:
        """The field that names this channel's template, and its value.

        A template serves one channel: a lone `templateId` serves the type's channel, or the only one.
        """
        named = self.template_ids.get(channel)
        if named is not None:
            return f"templateIds.{channel}", named
        if channel is _first_carried(self.channels, self.extra_channels):
            return "templateId", self.template_id
        return f"templateIds.{channel}", None


class EscalationStep(msgspec.Struct, frozen=True):
    """A request that is made later, unless something happens before. `place` is where it stands in the body.

    `told` is the step as it was asked for.
    """

    after: timedelta
    unless: Unless
    request: NewNotification
    place: str
    told: dict[str, Any]

    def place_of(self, field: str) -> str:
        """Where a field of its request stands: within the step, or in the notification that it is of."""
        return place_of(self.place, field)


_SAID_BY_A_STEP = frozenset(
    {
        "notificationType",
        "user",
        "message",
        "templateId",
        "templateIds",
        "mobileNumber",
        "email",
        "personalisationParams",
        "trustedParams",
    }
)


def place_of(place: str, field: str) -> str:
    """The same for a step that stands at `place`: one with `notify` says more than whom to tell."""
    own = _SAID_BY_A_STEP if place.endswith(".notify") else frozenset({"user"})
    return f"{place}.{field}" if field.partition(".")[0] in own else field


@lru_cache(maxsize=256)
def _carried(asked: tuple[Channel, ...]) -> tuple[Channel, ...]:
    return tuple(channel for channel in CARRIED if channel in asked)


@lru_cache(maxsize=256)
def _first_carried(channels: tuple[Channel, ...], extra: tuple[Channel, ...]) -> Channel | None:
    """The first that was asked for as the type and makes a delivery, else the first of all."""
    return next((each for each in channels if each in CARRIED), next(iter(_carried(extra)), None))


def check_fields(new: NewNotification, *, prepend_name: bool) -> list[FieldError]:
    """Every fault that can be told from the request alone."""
    errors = [*_check_target(new), *_check_user(new.user), *_check_texts(new)]
    personal = new.personal
    if Channel.SCREEN in new.channels:
        errors += screen.check(personal, target_id=new.target_id)
    for channel in new.carried:
        errors += CARRIERS[channel].check(personal, prepend_name=prepend_name)
        name, template = new.template_for(channel)
        if template is None:
            errors.append(FieldError(name, f"Enter the template of the {channel.lower()}."))
    if new.carried and new.service_key is None:
        errors.append(FieldError("serviceKey", "Enter the name of your service."))
    return errors + check_personalisation(new.personalisation, carried=new.carried, trusted=new.trusted)


def _check_target(new: NewNotification) -> list[FieldError]:
    errors = []
    if new.target_id is not None and not 1 <= len(new.target_id) <= LONGEST_TARGET_ID:
        errors.append(FieldError("targetId", f"Use 1 to {LONGEST_TARGET_ID} characters."))
    if new.target_type is not None and target_type.canonical(new.target_type) is None:
        nearest = target_type.nearest(new.target_type)
        hint = f" Did you mean {', '.join(nearest)}?" if nearest else ""
        errors.append(
            FieldError("targetType", f"Use one name in PascalCase, up to 64 letters and digits.{hint}")
        )
    return errors


def _check_user(user: str | None) -> list[FieldError]:
    if user is None or _GROUP.fullmatch(user.strip()):
        return []
    try:
        check_email_address(user)
    except InvalidEmailAddress:
        return [FieldError("user", "Enter an officer's email address, group:<name> or patch:<id>.")]
    return []


def _check_texts(new: NewNotification) -> list[FieldError]:
    errors = []
    if new.message is not None and len(new.message) > LONGEST_MESSAGE:
        errors.append(FieldError("message", f"Use up to {LONGEST_MESSAGE} characters."))
    if new.reference is not None and not 1 <= len(new.reference) <= LONGEST_REFERENCE:
        errors.append(FieldError("reference", f"Use 1 to {LONGEST_REFERENCE} characters."))
    if new.thread_key is not None and not 1 <= len(new.thread_key) <= LONGEST_THREAD_KEY:
        errors.append(FieldError("threadKey", f"Use 1 to {LONGEST_THREAD_KEY} characters."))
    if new.template_id is not None and len(new.template_id) > LONGEST_TEMPLATE_ID:
        errors.append(FieldError("templateId", f"Use up to {LONGEST_TEMPLATE_ID} characters."))
    one_line = {
        "targetId": new.target_id,
        "user": new.user,
        "reference": new.reference,
        "email": new.email,
        "mobileNumber": new.mobile_number,
        "serviceKey": new.service_key,
        "templateId": new.template_id,
        "threadKey": new.thread_key,
    }
    if has_control_or_break("".join(filter(None, one_line.values()))):
        errors += [
            FieldError(name, "Remove the control characters.")
            for name, value in one_line.items()
            if value is not None and has_control_or_break(value)
        ]
    if new.message is not None and has_control(new.message):
        errors.append(FieldError("message", "Remove the control characters."))
    return errors


def check_personalisation(
    given: Mapping[str, Any] | None, *, carried: Sequence[Channel], trusted: Sequence[str]
) -> list[FieldError]:
    """Every fault of the values, and of what names some of them as trusted."""
    values = given or {}
    errors = []
    if _is_too_large(values):
        errors.append(FieldError("personalisationParams", "Use up to 512 KB in all."))
    for name, value in values.items():
        if isinstance(value, str) and is_plain(value) and is_plain(name):
            continue
        errors += [
            FieldError(f"personalisationParams.{without_control(name)}", message)
            for message in _check_value(name, value, carried)
        ]
    return errors + _check_trusted(values, trusted) if trusted else errors


def _check_trusted(values: Mapping[str, Any], trusted: Sequence[str]) -> list[FieldError]:
    known = {normalise_name(name): value for name, value in values.items()}
    for name in trusted:
        shown = without_control(name)[:100]
        value = known.get(normalise_name(name))
        if value is None:
            return [FieldError("trustedParams", f"There is no value named {shown}.")]
        if isinstance(value, list | dict):
            return [FieldError("trustedParams", f"{shown} is no text: lists and files cannot be trusted.")]
    return []


def _is_too_large(values: Mapping[str, Any]) -> bool:
    """Whether the values, files aside, are larger than is sent. Only what may be is written out."""
    if sum([len(value) if isinstance(value, str) else _ROUGHLY for value in values.values()]) < _SURELY_SMALL:
        return False
    without_files = {name: value for name, value in values.items() if not attachment.is_file(value)}
    return len(msgspec.json.encode(without_files)) > LARGEST_PERSONALISATION


def _check_value(name: str, value: Any, carried: Sequence[Channel]) -> list[str]:
    if has_control_or_break(name) or _has_control(value):
        return ["Remove the control characters."]
    if attachment.is_file(value):
        if any(channel is not Channel.EMAIL for channel in carried):
            return ["A file can only be sent by email."]
        return attachment.check(value)
    items = value if isinstance(value, list) else [value]
    if all(item is None or isinstance(item, str | int | float) for item in items):
        return []
    return ["Use text, a number, true or false, a list of these, or a file."]


def _has_control(value: Any) -> bool:
    if isinstance(value, str):
        return has_control(value)
    return isinstance(value, list) and any(_has_control(item) for item in value)
