"""Adding up recorded changes of numbers, so that whoever asks has few rows to add."""

from sqlalchemy import exists, select, text

from postroom.features.readers.tables import reader_deltas
from postroom.kit.database import Database

MOST = 20_000
"""So many are added up in one transaction."""

_KEY = "audience, reader, state, outstanding"
_ADD = (
    f"INSERT INTO reader_counts ({_KEY}, number)"
    " {numbers}"
    f" ON CONFLICT ({_KEY}) DO UPDATE SET number = reader_counts.number + excluded.number"
)
_ON_POSTGRES = text(
    f"""
    WITH gone AS (
        DELETE FROM reader_deltas WHERE drawn IN (
            SELECT drawn FROM reader_deltas ORDER BY drawn LIMIT :most FOR UPDATE SKIP LOCKED
        )
        RETURNING {_KEY}, number
    ), added AS (
        {_ADD.format(numbers=f"SELECT {_KEY}, sum(number) FROM gone GROUP BY {_KEY} ORDER BY {_KEY}")}
    )
    SELECT count(*) FROM gone
    """  # noqa: S608 - our own names
)
_UNTIL = text("SELECT max(drawn) FROM (SELECT drawn FROM reader_deltas ORDER BY drawn LIMIT :most)")
_UP_TO = f"SELECT {_KEY}, sum(number) FROM reader_deltas WHERE drawn <= :until GROUP BY {_KEY}"  # noqa: S608
_ON_SQLITE = text(_ADD.format(numbers=_UP_TO))


async def fold(database: Database) -> None:
    """Add up what is recorded. Where nothing is, nothing is written."""
    async with database.reading() as conn:
        if not await conn.scalar(select(exists().select_from(reader_deltas))):
            return
    while await _fold_some(database) == MOST:
        pass


async def _fold_some(database: Database) -> int:
    async with database.transaction() as conn:
        if database.is_postgres:
            return await conn.scalar(_ON_POSTGRES, {"most": MOST}) or 0
        until = await conn.scalar(_UNTIL, {"most": MOST})
        if until is None:
            return 0
        await conn.execute(_ON_SQLITE, {"until": until})
        return (await conn.execute(reader_deltas.delete().where(reader_deltas.c.drawn <= until))).rowcount
