"""A place in what has changed for one person: where a stream that broke off goes on."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import blake2b

_PLACE = re.compile(r"([0-9]{1,18})\.([0-9a-f]{8})")


@dataclass(frozen=True, slots=True)
class Place:
    """The last change that was told, and for which screens: who has joined a group since begins anew."""

    position: int
    screens: str

    def __str__(self) -> str:
        return f"{self.position}.{self.screens}"


def read_place(text: str) -> Place | None:
    """The place that a text names, None where it names none."""
    found = _PLACE.fullmatch(text)
    return None if found is None else Place(int(found[1]), found[2])


def name_of(screens: Collection[bytes]) -> str:
    """A short name of the screens together."""
    return blake2b(b"".join(sorted(screens)), digest_size=4).hexdigest()
