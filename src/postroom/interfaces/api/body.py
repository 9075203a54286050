"""Reading bodies: fast where they are right, and with every field at fault named where they are not."""

import difflib
from typing import Any, TypeVar

import msgspec
from litestar import Request

from postroom.channels import attachment
from postroom.domain.errors import FieldError, Invalid
from postroom.interfaces.api.problems import TooLarge

Body = TypeVar("Body", bound=msgspec.Struct)
AnyRequest = Request[Any, Any, Any]

LARGEST = 1024 * 1024
LARGEST_WITH_FILE = 4 * LARGEST
LARGEST_BULK = 8 * LARGEST

_KINDS = {
    str: "text",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    int: "a whole number",
    type(None): "null",
}


async def read_body(
    request: AnyRequest, shape: type[Body], *, may_be_empty: bool = False
) -> tuple[Body, list[FieldError]]:
    """The body in that shape, and the fields at fault, which are left out of it.

    Every field of a shape can be absent, so that what is right is judged beside what is wrong.
    Invalid where there is no object at all, TooLarge over the limit.
    """
    raw = await request.body()
    return _read(raw or b"{}" if may_be_empty else raw, shape)


async def read_bodies(
    request: AnyRequest, shape: type[Body], *, most: int
) -> list[tuple[Body, list[FieldError]] | TooLarge | Invalid]:
    """Each body of a list as `read_body` reads one, or why it cannot be read; Invalid where there is none."""
    raw = await request.body()
    if len(raw) > LARGEST_BULK:
        raise TooLarge("Send up to 8 MiB at once.")
    try:
        several = msgspec.json.decode(raw, type=list[msgspec.Raw])
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise Invalid([FieldError("body", "Send a JSON list of notifications, in UTF-8.")]) from None
    if not 1 <= len(several) <= most:
        raise Invalid([FieldError("body", f"Send 1 to {most:,} notifications at once.")])
    return [_read_one(bytes(each), shape) for each in several]


def read_object(value: dict[str, Any], shape: type[Body]) -> tuple[Body, list[FieldError]]:
    """An object that stood within a body, in that shape, and its fields at fault."""
    return _read(msgspec.json.encode(value), shape)


def _read_one(raw: bytes, shape: type[Body]) -> tuple[Body, list[FieldError]] | TooLarge | Invalid:
    try:
        return _read(raw, shape)
    except (TooLarge, Invalid) as error:
        return error


def _read(raw: bytes, shape: type[Body]) -> tuple[Body, list[FieldError]]:
    faults: list[FieldError] = []
    try:
        body = msgspec.json.decode(raw, type=shape)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        body, faults = _read_field_by_field(raw, shape)
    if len(raw) > LARGEST:
        _check_size(raw, getattr(body, "personalisation_params", None))
    return body, faults


def _check_size(raw: bytes, personalisation: dict[str, Any] | None) -> None:
    """Only a request that carries a file may be larger than a request usually is."""
    if len(raw) > LARGEST and not any(
        attachment.is_file(value) for value in (personalisation or {}).values()
    ):
        raise TooLarge("Send up to 1 MiB, or up to 4 MiB with a file.")


def _read_field_by_field(raw: bytes, shape: type[Body]) -> tuple[Body, list[FieldError]]:
    _check_size(raw, None)
    data = _decode(raw)
    fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    faults = [FieldError(_printable(name), _unknown(name, fields)) for name in data if name not in fields]
    right = {}
    for name, field in fields.items():
        if name not in data:
            continue
        try:
            right[field.name] = msgspec.convert(data[name], field.type)
        except msgspec.ValidationError:
            faults.append(FieldError(name, f"Use {_wanted(field.type)} here."))
    return shape(**right), faults


def _decode(raw: bytes) -> dict[str, Any]:
    try:
        data = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise Invalid([FieldError("body", "This is not valid JSON in UTF-8.")]) from None
    if not isinstance(data, dict):
        raise Invalid([FieldError("body", "Send a JSON object.")])
    return data


def _unknown(name: str, fields: dict[str, Any]) -> str:
    nearest = difflib.get_close_matches(name, fields, n=1)
    return f"There is no such field. Did you mean {nearest[0]}?" if nearest else "There is no such field."


def _printable(name: str) -> str:
    return "".join(character if character.isprintable() else "�" for character in name)[:100]


def _wanted(kind: Any) -> str:
    """A type in words, as in “text or a list”."""
    members = getattr(kind, "__args__", None) if getattr(kind, "__origin__", None) is None else None
    wanted = (member for member in (members or (kind,)) if member is not msgspec.UnsetType)
    kinds = [getattr(member, "__origin__", member) for member in wanted]
    words = [_KINDS.get(getattr(member, "__origin__", member), "another value") for member in kinds]
    return " or ".join(dict.fromkeys(words))
