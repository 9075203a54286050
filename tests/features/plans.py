"""How a database goes about what it is asked: what reads a table whole is slow once there are many rows."""

from typing import Any

from sqlalchemy import event, text

from postroom.kit.database import Database


class Plans:
    """The plans of all statements that are read with from now on and are about something, one by one."""

    def __init__(self, database: Database, *, about: str) -> None:
        self._database = database
        self._about = about
        self._asked: list[tuple[str, Any]] = []
        event.listen(database.reader.sync_engine, "before_cursor_execute", self._keep)

    async def found(self) -> list[str]:
        explain = "EXPLAIN " if self._database.is_postgres else "EXPLAIN QUERY PLAN "
        asked, plans = [each for each in self._asked if self._about in each[0]], []
        async with self._database.reading() as conn:
            if self._database.is_postgres:
                # A table of four rows is faster read than its index.
                await conn.execute(text("SET LOCAL enable_seqscan = off"))
            for statement, parameters in asked:
                rows = await conn.exec_driver_sql(explain + statement, parameters)
                plans.append("\n".join(str(row[-1]) for row in rows))
        return plans

    def _keep(self, _: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if not statement.startswith("EXPLAIN"):
            self._asked.append((statement, parameters))
