"""Whom a key may send to."""

from collections.abc import Iterable

from notify_rules.email_address import check_email_address
from notify_rules.errors import ErrorKind, InvalidPhoneNumber, InvalidRecipient
from notify_rules.phone_number import PhoneNumber, check_phone_number
from notify_sandbox.model import KeyType, Service
from notify_sandbox.problems import NotifyError, bad_request, invalid, problem

_TRIAL_MODE = "https://www.notifications.service.gov.uk/trial-mode"


def check_may_send_to(recipient: str, *, service: Service, key_type: KeyType) -> None:
    """A team key reaches the team and the guest list; so does a live key in trial mode."""
    if key_type is KeyType.TEST or (key_type is KeyType.LIVE and not service.trial_mode):
        return
    if _comparable(recipient) in _all_comparable([*service.team, *service.guest_list]):
        return
    if key_type is KeyType.TEAM:
        raise bad_request("Can’t send to this recipient using a team-only API key")
    raise bad_request(f"Can’t send to this recipient when service is in trial mode – see {_TRIAL_MODE}")


def phone_number_for(value: str, *, service: Service) -> PhoneNumber:
    """The number as this service may text it."""
    try:
        return check_phone_number(value, international="international_sms" in service.permissions)
    except InvalidPhoneNumber as error:
        raise as_problem(error, field="phone_number") from None


def as_problem(error: InvalidRecipient, *, field: str) -> NotifyError:
    kind = error.kind
    if kind is ErrorKind.VALIDATION:
        return invalid(f"{field} {error.message}" if field else error.message)
    return problem(400, kind.value, error.message)


def _all_comparable(recipients: Iterable[str]) -> set[str]:
    return {_comparable(recipient) for recipient in recipients}


def _comparable(recipient: str) -> str:
    """One spelling for all the ways to write an address or a number."""
    try:
        if "@" in recipient:
            return check_email_address(recipient).lower()
        return check_phone_number(recipient, international=True).e164
    except InvalidRecipient:
        return recipient
