"""What one process at a time does, of any number on one database."""

from sqlalchemy import text

from postroom.kit.database.asynchronous import AsyncConnection

_IDLE = "10s"
"""Who is stopped in the middle of its turn is cut off then: else nobody's turn would come again."""

_TAKE = text(
    "SELECT pg_try_advisory_xact_lock(:key), set_config('idle_in_transaction_session_timeout', :idle, true)"
)


async def take_turn(conn: AsyncConnection, key: int) -> bool:
    """Whether it is this transaction's turn, until it ends. `key` is any fixed number.

    SQLite has one writer, whose turn it is.
    """
    if conn.dialect.name != "postgresql":
        return True
    is_ours, _ = (await conn.execute(_TAKE, {"key": key, "idle": _IDLE})).one()
    return bool(is_ours)
