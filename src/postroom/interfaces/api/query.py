"""Reading the filters of a list from a URL."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlencode

from litestar import Request

from postroom.domain import target_type
from postroom.domain.action import ActionType, action_named
from postroom.domain.errors import FieldError, Invalid
from postroom.features.notifications.find import Filters
from postroom.interfaces.api.parts import parts_of
from postroom.interfaces.api.translate import parse_channels
from postroom.kit.ids import is_id

Word = TypeVar("Word", bound=StrEnum)

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 200
KNOWN = (
    "notificationType",
    "targetId",
    "targetType",
    "user",
    "isReadStatus",
    "isSeenStatus",
    "isArchived",
    "requireAction",
    "needsAction",
    "overdue",
    "performedActionType",
    "createdFrom",
    "createdTo",
    "reference",
    "messageId",
    "service",
    "limit",
    "cursor",
    "format",
)
COUNTABLE = KNOWN[: KNOWN.index("limit")]
"""A count has no pages."""
CSV = "csv"
FORMATS = ("json", CSV)
_REPEATABLE = frozenset({"notificationType"})


def parse_filters(request: Request[Any, Any, Any], *, known: Collection[str] = KNOWN) -> Filters:
    """The filters; Invalid naming every parameter at fault, unknown ones too."""
    given = read_parameters(request, known=known)
    errors: list[FieldError] = []
    filters = _to_filters(given, errors, late_before=_late_before(request))
    if errors:
        raise Invalid(errors)
    return filters


def read_parameters(request: Request[Any, Any, Any], *, known: Collection[str]) -> dict[str, list[str]]:
    """The parameters of the URL; Invalid where one is not known, comes twice, or is no text."""
    given: dict[str, list[str]] = request.query_params.dict()
    errors = [FieldError(name[:100], "There is no such filter.") for name in given if name not in known]
    errors += [
        FieldError(name, "Give this once.")
        for name, values in given.items()
        if len(values) > 1 and name in known and name not in _REPEATABLE
    ]
    errors += [
        FieldError(name, "Remove the control characters.")
        for name, values in given.items()
        if any(not value.isprintable() for value in values)
    ]
    if errors:
        raise Invalid(errors)
    return given


def next_link(
    path: str, given: Iterable[tuple[str, str]], *, cursor: str | None, prefix: str, name: str = "cursor"
) -> dict[str, str]:
    """The header that leads to the next page, asked for as this one was; none at the end."""
    if cursor is None:
        return {}
    kept = [(each, value) for each, value in given if each != name]
    return {"link": f'<{prefix}{path}?{urlencode([*kept, (name, cursor)])}>; rel="next"'}


def _late_before(request: Request[Any, Any, Any]) -> datetime:
    """What has waited for a decision since before then is overdue."""
    postroom, _ = parts_of(request)
    return postroom.clock() - postroom.settings.overdue_after


def _to_filters(given: dict[str, list[Any]], errors: list[FieldError], *, late_before: datetime) -> Filters:
    first = {name: str(values[0]) for name, values in given.items()}
    types = given.get("notificationType")
    kind = first.get("targetType")
    user = first.get("user")
    needs_action = parse(first, "needsAction", _flag, errors)
    is_overdue = parse(first, "overdue", _flag, errors)
    if is_overdue and needs_action is False:
        errors.append(FieldError("overdue", "What needs no action is never overdue."))
    filters = Filters(
        channels=None if types is None else parse_channels(types, errors, allow_all=True),
        target_id=first.get("targetId"),
        target_type=None if kind is None else target_type.canonical(kind) or kind,
        user=None if user is None else user.strip().lower(),
        is_read=parse(first, "isReadStatus", _flag, errors),
        is_seen=parse(first, "isSeenStatus", _flag, errors),
        is_archived=parse(first, "isArchived", _flag, errors),
        outstanding=True if is_overdue else needs_action,
        waiting_since_before=late_before if is_overdue else None,
        require_action=parse(first, "requireAction", _flag, errors),
        action=parse(first, "performedActionType", _action, errors),
        created_from=parse(first, "createdFrom", read_moment, errors),
        created_to=parse(first, "createdTo", read_moment, errors),
        reference=first.get("reference"),
        message_id=parse(first, "messageId", _message_id, errors),
        before=parse(first, "cursor", read_cursor, errors),
        limit=parse(first, "limit", read_limit, errors) or DEFAULT_LIMIT,
    )
    parse(first, "format", _format, errors)
    return filters


def parse(given: Mapping[str, str], name: str, read: Callable[[str], Any], errors: list[FieldError]) -> Any:
    """The parsed value, None where it is absent; a ValueError's text is what to do instead."""
    if name not in given:
        return None
    try:
        return read(given[name])
    except ValueError as error:
        errors.append(FieldError(name, str(error)))
        return None


def _flag(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("Use true or false.")
    return text.lower() == "true"


def _action(text: str) -> ActionType:
    action = action_named(text)
    if action is None:
        raise ValueError(f"Use one of {', '.join(ActionType)}.")
    return action


def read_moment(text: str) -> datetime:
    try:
        # A plus sign in a URL stands for a space: a zone that was written unescaped is meant as one.
        moment = datetime.fromisoformat(text.strip().replace(" ", "+") if "T" in text else text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("Use a date or a time by RFC 3339, as in 2026-11-23T09:30:00Z.") from None


def read_limit(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) <= LARGEST_LIMIT:
        raise ValueError(f"Use a whole number from 1 to {LARGEST_LIMIT}.")
    return int(text)


def read_one_of(kind: type[Word]) -> Callable[[str], Word]:
    """A reader of one of our own words, written as they are."""

    def read(text: str) -> Word:
        try:
            return kind(text)
        except ValueError:
            raise ValueError(f"Use one of {', '.join(kind)}.") from None

    return read


def read_id(otherwise: str) -> Callable[[str], str]:
    """Reads an id; where the text is none, says what to do."""

    def read(text: str) -> str:
        if not is_id(text):
            raise ValueError(otherwise)
        return text.lower()

    return read


read_cursor = read_id("Use the cursor of a Link header as it stands.")
_message_id = read_id("Use the id of a delivery, or of a message at GOV.UK Notify.")


def _format(text: str) -> str:
    if text not in FORMATS:
        raise ValueError(f"Use {' or '.join(FORMATS)}.")
    return text
