"""Transactions on either database, and what is said when there are none to be had."""

import asyncio
import socket
import struct
import threading
import traceback
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest
from sqlalchemy import Column, MetaData, String, Table, make_url, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from postroom.kit.database import Database, DatabaseUnavailable, Id, Instant, Statement, open_database
from postroom.kit.database.direct import connect_options
from postroom.kit.ids import new_id

EMAIL = "amala@example.com"
THINGS = Table("things", MetaData(), Column("name", String(40)))


async def names(database: Database) -> list[str]:
    async with database.reading() as conn:
        return sorted(await conn.scalars(text("SELECT name FROM things")))


async def insert(database: Database, *given: str) -> None:
    async with database.transaction() as conn:
        await conn.execute(THINGS.insert(), [{"name": name} for name in given])


async def test_what_a_transaction_wrote_is_there_after_it(database: Database) -> None:
    await insert(database, "one", "two")

    assert await names(database) == ["one", "two"]


async def test_an_exception_takes_all_of_it_back(database: Database) -> None:
    async def write_and_fail() -> None:
        async with database.transaction() as conn:
            await conn.execute(THINGS.insert(), [{"name": "one"}])
            raise LookupError

    with pytest.raises(LookupError):
        await write_and_fail()

    assert await names(database) == []


async def test_who_is_cancelled_takes_all_of_it_back(database: Database) -> None:
    begun = asyncio.Event()

    async def write_and_wait() -> None:
        async with database.transaction() as conn:
            await conn.execute(THINGS.insert(), [{"name": "one"}])
            begun.set()
            await asyncio.sleep(60)

    writing = asyncio.create_task(write_and_wait())
    await begun.wait()
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)

    await insert(database, "two")
    assert await names(database) == ["two"]


async def test_readers_do_not_wait_for_a_writer_nor_see_what_is_not_committed(database: Database) -> None:
    async with database.transaction() as conn:
        await conn.execute(THINGS.insert(), [{"name": "one"}])
        async with asyncio.timeout(2):
            assert await names(database) == []

    assert await names(database) == ["one"]


@pytest.mark.sqlite
async def test_a_writer_does_not_wait_for_readers_and_they_keep_their_view(sqlite_url: str) -> None:
    database = open_database(sqlite_url)
    async with database.transaction() as conn:
        await conn.run_sync(THINGS.metadata.create_all)
    async with database.reading() as conn:
        before = list(await conn.scalars(text("SELECT name FROM things")))
        async with asyncio.timeout(2):
            await insert(database, "one")
        after = list(await conn.scalars(text("SELECT name FROM things")))

    assert (before, after, await names(database)) == ([], [], ["one"])
    await database.close()


async def test_writers_that_come_together_all_write(database: Database) -> None:
    given = [f"thing-{number:02}" for number in range(30)]

    await asyncio.gather(*(insert(database, name) for name in given))

    assert await names(database) == given


async def test_an_error_does_not_quote_what_was_being_written(database: Database) -> None:
    await insert(database, EMAIL)

    with pytest.raises(IntegrityError) as raised:
        await insert(database, EMAIL)

    told = "".join(traceback.format_exception(raised.value)) + repr(raised.value) + repr(raised.value.orig)
    assert "things" in told
    assert EMAIL not in told


@pytest.mark.postgres
async def test_nor_does_an_error_about_a_value_of_the_wrong_kind(postgres_url: str) -> None:
    database = open_database(postgres_url)
    try:
        for statement in ("SELECT CAST(:value AS uuid)", "SELECT CAST(CAST(:value AS text) AS uuid)"):
            with pytest.raises(DBAPIError) as raised:
                async with database.transaction() as conn:
                    await conn.execute(text(statement), {"value": EMAIL})

            told = "".join(traceback.format_exception(raised.value)) + repr(raised.value.orig)
            assert EMAIL not in told
    finally:
        await database.close()


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        database = open_database(f"postgresql://postroom@127.0.0.1:{port}/postroom")
        with pytest.raises(DatabaseUnavailable, match=r"^\w+$"):
            async with database.transaction():
                pass
        with pytest.raises(DatabaseUnavailable):
            async with database.reading():
                pass
        await database.close()


@pytest.mark.parametrize(
    "state", [pytest.param("57P03", id="it starts"), pytest.param("53300", id="too many connections")]
)
async def test_a_server_that_lets_nobody_in_for_now_is_unavailable(state: str) -> None:
    """What the driver says while it connects does not come by the same way as what it says later."""
    told = f"SFATAL\0VFATAL\0C{state}\0Mnot now\0\0".encode()

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(8)  # may it be encrypted?
        writer.write(b"N")
        await reader.read(1024)
        writer.write(b"E" + struct.pack("!i", len(told) + 4) + told)
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        database = open_database(f"postgresql://postroom@127.0.0.1:{port}/postroom")
        with pytest.raises(DatabaseUnavailable, match=r"^\w+$"):
            async with database.reading():
                pass
        await database.close()


@pytest.mark.sqlite
async def test_a_file_that_is_gone_or_another_is_unavailable_until_it_is_back(
    sqlite_url: str, tmp_path: Path
) -> None:
    """The operating system would let a deleted file be written to, and forget it with the process."""
    database = open_database(sqlite_url)
    path, away = tmp_path / "postroom.db", tmp_path / "away"
    async with database.transaction() as conn:
        await conn.run_sync(THINGS.metadata.create_all)

    async def is_refused() -> bool:
        with pytest.raises(DatabaseUnavailable):
            await insert(database, "lost")
        with pytest.raises(DatabaseUnavailable):
            await names(database)
        return True

    try:
        path.rename(away)
        assert await is_refused()
        path.touch()
        assert await is_refused()
        away.rename(path)
        await insert(database, "kept")
        assert await names(database) == ["kept"]
    finally:
        await database.close()


async def test_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'missing' / 'postroom.db'}")

    with pytest.raises(DatabaseUnavailable):
        async with database.reading():
            pass

    await database.close()
    # The driver's thread still has something to say to this test's loop.
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join)


@pytest.mark.sqlite
async def test_a_full_sqlite_is_unavailable_until_there_is_room(sqlite_url: str) -> None:
    database = open_database(sqlite_url)
    async with database.transaction() as conn:
        await conn.execute(text("CREATE TABLE blobs (content BLOB)"))
        await conn.execute(text("PRAGMA max_page_count = 10"))
    full = text("INSERT INTO blobs VALUES (zeroblob(200000))")

    with pytest.raises(DatabaseUnavailable, match=r"^OperationalError$"):
        async with database.transaction() as conn:
            await conn.execute(full)
    async with database.transaction() as conn:
        await conn.execute(text("PRAGMA max_page_count = 1000"))
        await conn.execute(full)

    async with database.reading() as conn:
        assert await conn.scalar(text("SELECT count(*) FROM blobs")) == 1
    await database.close()


@pytest.mark.postgres
async def test_a_connection_that_was_cut_is_unavailable_and_the_next_one_works(postgres_url: str) -> None:
    database = open_database(postgres_url)
    other = open_database(postgres_url)

    async def be_cut_off() -> None:
        async with database.transaction() as conn:
            pid = await conn.scalar(text("SELECT pg_backend_pid()"))
            async with other.transaction() as killer:
                await killer.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            await conn.execute(text("SELECT 1"))

    try:
        with pytest.raises(DatabaseUnavailable):
            await be_cut_off()

        async with database.transaction() as conn:
            assert await conn.scalar(text("SELECT 1")) == 1
    finally:
        await database.close()
        await other.close()


@pytest.mark.postgres
async def test_nothing_fails_for_connections_that_were_cut_while_nobody_used_them(postgres_url: str) -> None:
    """As all are by a restart of the server: whoever reads first after it would be told 503."""
    database, other = open_database(postgres_url), open_database(postgres_url)
    async with database.transaction() as one, database.reading() as two:
        pids = [await conn.scalar(text("SELECT pg_backend_pid()")) for conn in (one, two)]
    async with other.transaction() as killer:
        for pid in pids:
            await killer.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    await asyncio.sleep(0.3)

    try:
        async with database.reading() as one, database.transaction() as two:
            after = [await conn.scalar(text("SELECT pg_backend_pid()")) for conn in (one, two)]
        assert set(after).isdisjoint(pids)
    finally:
        await database.close()
        await other.close()


@pytest.mark.parametrize("url", ["mysql://localhost/postroom", "sqlserver://x"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="sqlite:/// or postgresql://"):
        open_database(url)


async def test_ids_and_moments_come_back_as_they_were_given(database: Database) -> None:
    table = Table("moments", MetaData(), Column("id", Id), Column("at", Instant))
    moment = datetime(2026, 7, 1, 12, 30, 15, 123_457, tzinfo=timezone(timedelta(hours=1)))
    row_id = new_id()
    async with database.transaction() as conn:
        await conn.run_sync(table.metadata.create_all)
        await conn.execute(table.insert(), [{"id": row_id, "at": moment}, {"id": None, "at": None}])

    async with database.reading() as conn:
        rows = [tuple(row) for row in await conn.execute(table.select().order_by(table.c.at.is_(None)))]

    assert rows == [(row_id, moment), (None, None)]
    assert rows[0][1].tzinfo is UTC


@pytest.mark.postgres
@pytest.mark.parametrize("name", ["ssl", "sslmode"])
async def test_whether_to_encrypt_is_said_by_either_name_for_all_ways(postgres_url: str, name: str) -> None:
    url = make_url(postgres_url).update_query_dict({name: "disable"})
    database = open_database(url.render_as_string(hide_password=False))
    try:
        async with database.transaction() as conn:
            assert await conn.scalar(text("SELECT 1")) == 1
        assert [tuple(row) for row in await database.run(Statement(text("SELECT 1")))] == [(1,)]
        connection = await asyncpg.connect(**connect_options(database.url))
        await connection.close()
    finally:
        await database.close()
