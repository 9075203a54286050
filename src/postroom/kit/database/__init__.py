"""One database, SQLite or PostgreSQL, behind one small interface."""

from postroom.kit.database.bulk import BulkInsert, BulkUpdate
from postroom.kit.database.engine import Database, DatabaseUnavailable, LockTimeout, open_database
from postroom.kit.database.group_commit import GroupCommit, WriterBusy
from postroom.kit.database.types import Id, Instant, metadata

__all__ = [
    "BulkInsert",
    "BulkUpdate",
    "Database",
    "DatabaseUnavailable",
    "GroupCommit",
    "Id",
    "Instant",
    "LockTimeout",
    "WriterBusy",
    "metadata",
    "open_database",
]
