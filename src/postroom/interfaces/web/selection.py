"""What of the list somebody has chosen to see: it stands in addresses and forms, and leads back there."""

from collections.abc import Callable
from dataclasses import dataclass

from postroom.interfaces.web.paths import INBOX, with_query
from postroom.kit.ids import is_id

SHOWN = {
    "": "Everything",
    "unread": "Unread",
    "action": "Needs action",
    "overdue": "Overdue",
    "archived": "Archived",
}
_LONGEST_TYPE = 64


@dataclass(frozen=True, slots=True)
class Selection:
    """`before` is the id that a page of the list continues after, empty on its first."""

    show: str = ""
    type: str = ""
    before: str = ""

    @property
    def query(self) -> dict[str, str]:
        return {"show": self.show, "type": self.type, "before": self.before}

    def listed(self, *, done: str | None = None) -> str:
        """Where the list is shown so."""
        return with_query(INBOX, **self.query, done=done)

    def of(self, notification_id: str, *, done: str | None = None) -> str:
        """The page of one notification, from which one comes back here."""
        return with_query(f"{INBOX}/{notification_id}", **self.query, done=done)


def selection(asked: Callable[[str], str]) -> Selection:
    """What was chosen. `asked` gives a value by its name; what cannot be one counts as not given."""
    show, kind, before = asked("show"), asked("type"), asked("before").lower()
    return Selection(
        show=show if show in SHOWN else "",
        type=kind if len(kind) <= _LONGEST_TYPE and kind.isprintable() else "",
        before=before if is_id(before) else "",
    )
