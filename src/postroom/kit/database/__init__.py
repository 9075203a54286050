"""One database, SQLite or PostgreSQL, behind one small interface."""

from postroom.kit.database.asynchronous import AsyncConnection
from postroom.kit.database.batch import Batch, Outdated
from postroom.kit.database.bulk import BulkInsert, BulkSwap, BulkUpdate, SpreadInsert
from postroom.kit.database.engine import Database, open_database
from postroom.kit.database.failures import DatabaseUnavailable, LockTimeout
from postroom.kit.database.group_commit import NOT_NOW, GroupCommit, WriterBusy, in_transactions
from postroom.kit.database.statement import Statement, one_of
from postroom.kit.database.turn import take_turn
from postroom.kit.database.types import Id, Instant, metadata

__all__ = [
    "NOT_NOW",
    "AsyncConnection",
    "Batch",
    "BulkInsert",
    "BulkSwap",
    "BulkUpdate",
    "Database",
    "DatabaseUnavailable",
    "GroupCommit",
    "Id",
    "Instant",
    "LockTimeout",
    "Outdated",
    "SpreadInsert",
    "Statement",
    "WriterBusy",
    "in_transactions",
    "metadata",
    "one_of",
    "open_database",
    "take_turn",
]
