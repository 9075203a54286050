"""Our words and the wire's: dataclasses in snake_case here, JSON in camelCase there.

Reading is tolerant: a field that is not known here is passed over, one that is missing or null keeps its
default.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


APART = {"wire": None}
"""The metadata of a field that does not stand in the JSON."""


def called(wire_name: str) -> dict[str, str]:
    """The metadata of a field that the wire calls otherwise."""
    return {"wire": wire_name}


def personal() -> Any:
    """A field that may hold personal data, so that no log shows it by mistake."""
    return field(default=None, repr=False)


def to_wire(value: Any) -> dict[str, Any]:
    """A dataclass as the wire has it, without what is None."""
    found = ((part.wire_name, getattr(value, part.name)) for part in _parts(type(value)))
    return {name: each for name, each in found if each is not None}


def from_wire(kind: type[T], data: object, **apart: Any) -> T:
    """The dataclass that the JSON describes; ValueError, TypeError or LookupError where it describes none."""
    if not isinstance(data, Mapping):
        raise TypeError("not an object")
    read = {
        part.name: part.read(data[part.wire_name])
        for part in _parts(kind)
        if data.get(part.wire_name) is not None
    }
    return kind(**read, **apart)


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    wire_name: str
    read: Callable[[Any], Any]


def _parts_of(kind: Any) -> tuple[_Part, ...]:
    hints = get_type_hints(kind)
    wire_names = {each.name: each.metadata.get("wire", _camel(each.name)) for each in fields(kind)}
    return tuple(
        _Part(name, wire_name, _reader(hints[name])) for name, wire_name in wire_names.items() if wire_name
    )


_parts: Callable[[Any], tuple[_Part, ...]] = cache(_parts_of)


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _reader(hint: Any) -> Callable[[Any], Any]:
    if get_origin(hint) in (Union, UnionType):
        members = [each for each in get_args(hint) if each is not NoneType]
        hint = members[0] if len(members) == 1 else object
    if hint is datetime:
        return datetime.fromisoformat
    if get_origin(hint) is tuple:
        return partial(_read_each, _reader(get_args(hint)[0]))
    shape: Any = hint
    return partial(from_wire, shape) if is_dataclass(hint) else _as_it_is


def _read_each(read: Callable[[Any], Any], values: list[Any]) -> tuple[Any, ...]:
    return tuple(read(each) for each in values)


def _as_it_is(value: Any) -> Any:
    return value
