"""The tables of what changes on screens. Whose screen it is stands there as a blind index alone."""

from typing import Any

from sqlalchemy import BigInteger, Column, Identity, Index, Integer, LargeBinary, String, Table

from postroom.kit.database import Id, Instant, metadata

_NUMBER = BigInteger().with_variant(Integer, "sqlite")


def _of_a_change() -> list[Column[Any]]:
    return [
        Column("kind", String(8), nullable=False),
        Column("at", Instant, nullable=False),
        # Of an officer, a group or a patch as they are addressed, or of one reader alone.
        Column("screen", LargeBinary, nullable=False),
        # Null where so much has changed that the screen is better loaded anew.
        Column("notification_id", Id),
    ]


screen_outbox = Table(
    "screen_outbox",
    metadata,
    Column("drawn", _NUMBER, Identity(), primary_key=True),
    *_of_a_change(),
    sqlite_autoincrement=True,
)
"""On PostgreSQL, what was recorded and has no place yet: numbers drawn before a commit are no order."""

screen_changes = Table(
    "screen_changes",
    metadata,
    # Without gaps, so that it can be told whether something has been forgotten since a place.
    Column("position", _NUMBER, primary_key=True, autoincrement=True),
    *_of_a_change(),
    sqlite_autoincrement=True,
)
Index("ix_screen_changes_screen", screen_changes.c.screen, screen_changes.c.position)
