"""Reading the escalation that a request asks for: each step becomes a request of its own."""

from collections.abc import Callable
from typing import Any

import msgspec

from postroom.domain.errors import FieldError
from postroom.domain.escalation import LONGEST, MOST_STEPS, Unless, read_duration
from postroom.features.notifications.request import EscalationStep, NewNotification, place_of
from postroom.interfaces.api.body import read_object
from postroom.interfaces.api.schemas import EscalationNotifyBody, NotificationBody

ToNew = Callable[[NotificationBody, list[FieldError]], NewNotification]

_OF_A_STEP = ("after", "unless", "user", "notify")


def read_escalation(
    body: NotificationBody, errors: list[FieldError], *, to_new: ToNew
) -> tuple[EscalationStep, ...]:
    """The steps; what is wrong with one is added to the errors, and it is left out."""
    given = body.escalation or []
    if len(given) > MOST_STEPS:
        errors.append(FieldError("escalation", f"Use up to {MOST_STEPS} steps."))
        return ()
    read = [_read_step(each, f"escalation[{at}]", body, errors, to_new) for at, each in enumerate(given)]
    return tuple(step for step in read if step is not None)


def _read_step(
    given: Any, place: str, body: NotificationBody, errors: list[FieldError], to_new: ToNew
) -> EscalationStep | None:
    if not isinstance(given, dict):
        errors.append(FieldError(place, "Use an object here."))
        return None
    unknown = [name for name in given if name not in _OF_A_STEP]
    faults = [FieldError(f"{place}.{_shown(name)}", "There is no such field.") for name in unknown]
    after = read_duration(given["after"]) if isinstance(given.get("after"), str) else None
    if after is None:
        words = f"Use a duration by ISO 8601 of up to {LONGEST.days} days, as in PT24H or P3D."
        faults.append(FieldError(f"{place}.after", words))
    unless = given.get("unless", Unless.READ.value)
    if unless not in set(Unless):
        faults.append(FieldError(f"{place}.unless", f"Use one of {', '.join(Unless)}."))
    request, where = _read_request(given, place, body, faults, to_new)
    errors += faults
    if faults or after is None or request is None:
        return None
    return EscalationStep(after=after, unless=Unless(unless), request=request, place=where, told=given)


def _read_request(
    given: dict[str, Any], place: str, body: NotificationBody, faults: list[FieldError], to_new: ToNew
) -> tuple[NewNotification | None, str]:
    """The request of a step, and where the fields stand that it is made of."""
    if ("user" in given) == ("notify" in given):
        faults.append(FieldError(place, "Say with user or with notify who is told: one of them."))
        return None, place
    if "user" in given:
        notify, where = {"notificationType": "Screen", "user": given["user"]}, place
    else:
        notify, where = given["notify"], f"{place}.notify"
    if not isinstance(notify, dict):
        faults.append(FieldError(where, "Use an object here."))
        return None, where
    wish, misread = read_object(notify, EscalationNotifyBody)
    faults += [FieldError(f"{where}.{fault.field}", fault.message) for fault in misread]
    found: list[FieldError] = []
    request = to_new(_as_body(wish, body), found)
    faults += [FieldError(place_of(where, fault.field), fault.message) for fault in found]
    if not request.carried:
        # What is sent with it is not needed: a key that came along is not kept here.
        request = msgspec.structs.replace(request, service_key=None)
    return request, where


def _as_body(wish: EscalationNotifyBody, body: NotificationBody) -> NotificationBody:
    """What the step says, and for the rest what the notification said that it is of."""
    own = {name: value for name, value in msgspec.structs.asdict(wish).items() if value is not None}
    kept = NotificationBody(
        target_id=body.target_id,
        target_type=body.target_type,
        message=body.message,
        service_key=body.service_key,
        mobile_number=body.mobile_number,
        email=body.email,
        personalisation_params=body.personalisation_params,
        trusted_params=body.trusted_params,
        reference=body.reference,
        sensitive=body.sensitive,
        follow_on_action=body.follow_on_action,
    )
    return msgspec.structs.replace(kept, **own)


def _shown(name: str) -> str:
    return name[:100] if name.isprintable() else "�"
