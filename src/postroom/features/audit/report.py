"""What a look at the audit found, in words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from postroom.features.audit.chain import BEGINNING, Content, digest_of

_MOST_COMPARED = 1_000


class Fault(StrEnum):
    CHANGED = "changed"
    REMOVED = "removed"
    ADDED = "added"
    SWAPPED = "swapped"
    SEAL_CHANGED = "seal changed"
    SEAL_REMOVED = "seal removed"
    HEAD_NOT_FOUND = "head not found"


WORDS = {
    Fault.CHANGED: "This entry says something else than when it was sealed.",
    Fault.REMOVED: "This entry was sealed, and is not there any more.",
    Fault.ADDED: "This entry was put there later, or by a machine whose clock is wrong.",
    Fault.SWAPPED: "What this entry says stands in the place of another, which was sealed too.",
    Fault.SEAL_CHANGED: "This seal is not the one that was made, or was made with another POSTROOM_SECRET.",
    Fault.SEAL_REMOVED: "This seal is not there any more.",
    Fault.HEAD_NOT_FOUND: "The seal that was written down is not in this audit: it was cut off or made anew.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What is not as it was: an entry, by its id, or a seal."""

    fault: Fault
    seal: int | None
    entry_id: str | None = None

    @property
    def what(self) -> str:
        return WORDS[self.fault]


@dataclass(slots=True)
class Report:
    """`head` names the last seal. Kept elsewhere, it shows if later somebody cuts the audit off there."""

    entries: int = 0
    seals: int = 0
    unsealed: int = 0
    values_given_up: int = 0
    head: str | None = None
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return not self.findings


@dataclass(frozen=True, slots=True)
class Head:
    """A seal that was written down elsewhere, as `number:hash`."""

    number: int
    hash: bytes

    @classmethod
    def of(cls, text: str) -> "Head":
        """ValueError where the text is none."""
        number, _, hashed = text.strip().partition(":")
        head = cls(int(number), bytes.fromhex(hashed))
        if head.number < 1 or len(head.hash) != len(BEGINNING):
            raise ValueError("no head of an audit")
        return head


@dataclass(frozen=True, slots=True)
class Changed:
    """An entry that is not what it was: the digest that it had, and what it says now."""

    entry_id: str
    seal: int
    expected: bytes
    content: Content


def swapped(changed: Sequence[Changed]) -> list[Finding]:
    """A finding for each: swapped where what it said stands under another's id now, else changed."""
    compared = changed[:_MOST_COMPARED]
    elsewhere = {
        each.entry_id
        for each in compared
        if any(
            other.entry_id != each.entry_id and digest_of(each.entry_id, other.content) == each.expected
            for other in compared
        )
    }
    return [
        Finding(Fault.SWAPPED if each.entry_id in elsewhere else Fault.CHANGED, each.seal, each.entry_id)
        for each in changed
    ]
