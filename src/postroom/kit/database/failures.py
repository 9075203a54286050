"""What databases and their drivers say when they cannot, in words of ours that hold no value."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

_LOCK_NOT_AVAILABLE = "55P03"
_READ_ONLY = "25006"
_WORDS = ("message", "detail", "hint", "context", "internal_query")


class DatabaseUnavailable(Exception):
    """The database did not answer, is full, or cut the connection.

    What was being written is not there, unless it was the answer alone that did not come any more.
    """


class LockTimeout(Exception):
    """Another transaction held what was wanted for longer than is waited; nothing was written."""


@asynccontextmanager
async def unavailable_named() -> AsyncIterator[None]:
    """Turns every driver's way of saying "not now" into one exception without parameters."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError, sqlite3.OperationalError) as error:
        raise DatabaseUnavailable(type(error).__name__) from None
    except (TimeoutError, ConnectionError, OSError) as error:
        raise DatabaseUnavailable(type(error).__name__) from None
    except Exception as error:
        # PostgreSQL's driver is asked by SQLAlchemy or directly, and raises its own while it connects.
        if state_of(error) == _LOCK_NOT_AVAILABLE:
            raise LockTimeout from None
        if getattr(error, "connection_invalidated", False) or _is_resource_error(error):
            raise DatabaseUnavailable(type(error).__name__) from None
        if isinstance(error, DBAPIError) or state_of(error):
            _silence(error)
        raise


def state_of(error: BaseException) -> str:
    """PostgreSQL's SQLSTATE; empty where it said none."""
    said = error.orig if isinstance(error, DBAPIError) else error
    return getattr(said, "sqlstate", None) or getattr(said, "pgcode", None) or ""


def _is_resource_error(error: Exception) -> bool:
    """PostgreSQL's classes 08 (connection), 53 (disk full, too many), 57 (shutting down), 58 (I/O).

    And a server that only reads: the one that wrote has gone, and this one does not know it yet.
    """
    state = state_of(error)
    return state[:2] in {"08", "53", "57", "58"} or state == _READ_ONLY


def _silence(error: Exception) -> None:
    """Leave an error its class and its statement: PostgreSQL's and its driver's words quote values."""
    said = error.orig if isinstance(error, DBAPIError) else error
    told = f"{type(said).__name__} {state_of(error)}".strip()
    each: BaseException | None = error
    while each is not None:
        each.args = (told,)
        if isinstance(each, DBAPIError):
            each.detail = []
        elif state_of(each):
            vars(each).update(dict.fromkeys(_WORDS))
        each = each.orig if isinstance(each, DBAPIError) else each.__cause__
