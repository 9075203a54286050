"""GET /notifications/stream: what changes for a person is told as it happens, once, and nothing is missed."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import inspect, text

from postroom.features.inbox.live import MOST_AT_ONCE
from tests.interfaces.api.streaming import Stream, stream

pytestmark = pytest.mark.asyncio(loop_scope="module")

APPROVED = {"actionType": "Approved", "actionNote": "checked"}


class Officer:
    """One officer of a test, whom no other test addresses, and a group that is theirs too."""

    made = 0

    def __init__(self, office: Any) -> None:
        Officer.made += 1
        self.office = office
        self.email = f"officer-{Officer.made}@hackney.gov.uk"
        self.group = f"group-{Officer.made}"
        self.token = office.token(self.email, groups=(self.group,))

    @asynccontextmanager
    async def stream(self, last_id: str | None = None) -> AsyncIterator[Stream]:
        async with stream(
            self.office.url, self.token, session=self.office.session, last_id=last_id
        ) as opened:
            yield opened

    async def told(self, **others: Any) -> Any:
        return await self.office.accepted(self.office.screen(user=self.email, **others))

    async def told_with_group(self, **others: Any) -> Any:
        return await self.office.accepted(self.office.screen(user=f"group:{self.group}", **others))

    async def act(self, item: Any, body: Any) -> None:
        answer = await self.office.patch(item["id"], body, token=self.token)
        assert answer.status == 200, answer.text

    async def unread(self) -> int:
        answer = await self.office.get("/notifications/count?isReadStatus=false", token=self.token)
        return int(answer.body["count"])


@pytest.fixture
def amala(office: Any) -> Officer:
    return Officer(office)


async def test_what_is_new_changed_and_gone_is_told(office: Any, amala: Officer) -> None:
    async with amala.stream() as opened:
        await opened.count(0)
        made = await amala.told()
        new = await opened.next()
        assert (new.kind, new.data) == ("new", made)
        await opened.count(1)

        await amala.act(made, {"actionType": "IsRead"})
        changed = await opened.next_of("changed")
        assert changed.data == made | {"isReadStatus": True, "isSeenStatus": True}
        await opened.count(0)

        await amala.act(made, APPROVED)
        changed = await opened.next_of("changed")
        shown = (await office.get(f"/notifications/{made['id']}", token=amala.token)).body
        own = [shown.pop(name) for name in ("isReadStatus", "isSeenStatus", "isArchived")]
        assert (changed.data, own) == (shown, [True, True, False])

        assert (await office.delete(made["id"])).status == 204
        gone = await opened.next_of("removed")
        assert gone.data == {"id": made["id"]}


async def test_it_comes_within_a_tenth_of_a_second(amala: Officer) -> None:
    async with amala.stream() as opened:
        await opened.count(0)
        took = []
        for _ in range(5):
            began = time.monotonic()
            await amala.told_with_group()
            await opened.next_of("new")
            took.append(time.monotonic() - began)

    assert sorted(took)[2] < 0.5


async def test_a_stream_goes_on_where_it_broke_off(amala: Officer) -> None:
    async with amala.stream() as opened:
        await opened.count(0)
        first = await amala.told()
        await opened.count(1)
    second, third = await amala.told(), await amala.told_with_group()
    await amala.act(first, {"actionType": "IsRead"})

    async with amala.stream(opened.last_id) as again:
        await again.quiet_at(2)
        assert [(told.kind, told.data["id"]) for told in again.seen if told.kind != "count"] == [
            ("new", second["id"]),
            ("new", third["id"]),
            ("changed", first["id"]),
        ]
    async with amala.stream(again.last_id) as nothing_new:
        assert [(await nothing_new.next()).kind] == ["count"]
        await nothing_new.quiet()


async def test_two_pages_of_one_person_and_one_of_another(office: Any, amala: Officer) -> None:
    kofi = Officer(office)
    kofi.token = office.token(kofi.email, groups=(amala.group,))
    async with amala.stream() as one, amala.stream() as two, kofi.stream() as other:
        for each in (one, two, other):
            await each.count(0)
        shared = await amala.told_with_group()
        for each in (one, two, other):
            assert (await each.next_of("new")).data["id"] == shared["id"]
        mine = await amala.told()
        await amala.act(shared, {"actionType": "IsRead"})
        for each in (one, two):
            assert (await each.next_of("new")).data["id"] == mine["id"]
            assert (await each.next_of("changed")).data["isReadStatus"] is True
        await other.quiet()


async def test_the_badge_is_the_list_after_whatever_was_done(office: Any, amala: Officer) -> None:
    async with amala.stream() as opened:
        made = await asyncio.gather(
            *(amala.told_with_group() for _ in range(6)), *(amala.told() for _ in range(6))
        )
        await asyncio.gather(
            *(amala.act(item, {"actionType": "IsRead"}) for item in made[::3]),
            *(office.delete(item["id"], token=amala.token) for item in made[1::3]),
            *(amala.told() for _ in range(3)),
        )
        await amala.act(made[0], {"actionType": "IsUnread"})
        wanted = await amala.unread()
        await opened.quiet_at(wanted)


async def test_after_too_much_all_is_to_be_loaded_anew(office: Any, amala: Officer) -> None:
    async with amala.stream() as opened:
        await opened.count(0)
    body = office.screen(user=amala.email)
    answer = await office.call("POST", "/notifications/bulk", body=[body] * (MOST_AT_ONCE + 1))
    assert answer.status == 207, answer.text
    async with amala.stream() as meanwhile:
        # Until each of them has its place.
        await meanwhile.quiet_at(MOST_AT_ONCE + 1)

    async with amala.stream(opened.last_id) as again:
        await again.quiet_at(MOST_AT_ONCE + 1)
        assert [told.kind for told in again.seen if told.kind != "count"] == ["reset"]


@pytest.mark.parametrize("last_id", ["nonsense", "0.00000000", "999999999.00000000", "1" * 100], ids=str)
async def test_a_place_that_is_not_known_has_all_loaded_anew(last_id: str, amala: Officer) -> None:
    async with amala.stream(last_id) as opened:
        assert (await opened.next()).kind == "reset"


async def test_who_joins_a_group_loads_anew(office: Any, amala: Officer) -> None:
    async with amala.stream() as opened:
        await opened.count(0)
    amala.token = office.token(amala.email, groups=(amala.group, "one-more"))
    async with amala.stream(opened.last_id) as again:
        assert (await again.next()).kind == "reset"


async def test_it_ends_with_the_token(office: Any, amala: Officer) -> None:
    now = time.time()
    claims = {"sub": "1", "email": amala.email, "iat": int(now), "exp": int(now) + 2}
    async with stream(office.url, office.signed(claims), session=office.session) as opened:
        await opened.ended(seconds=10)
    assert time.time() < now + 8


async def test_only_a_person_may_have_one(office: Any, amala: Officer) -> None:
    await office.problem(403, "GET", "/notifications/stream")
    await office.problem(401, "GET", "/notifications/stream", anonymous=True)
    answer = await office.get("/notifications/stream?user=x", token=amala.token)
    assert answer.status == 400
    assert answer.fields == {"user": "There is no such filter."}


async def test_a_count_that_fails_is_taken_again_and_ends_nothing_else(office: Any, amala: Officer) -> None:
    async def rename(before: str, after: str) -> None:
        async with office.app.database.transaction() as conn:
            await conn.execute(text(f"ALTER TABLE {before} RENAME TO {after}"))

    await rename("reader_deltas", "reader_deltas_elsewhere")
    try:
        async with amala.stream() as opened:
            await opened.quiet(seconds=1)
            await rename("reader_deltas_elsewhere", "reader_deltas")
            await opened.count(0)
    finally:
        async with office.app.database.reading() as conn:
            is_back = await conn.run_sync(lambda given: inspect(given).has_table("reader_deltas"))
        if not is_back:
            await rename("reader_deltas_elsewhere", "reader_deltas")


async def test_pages_that_are_closed_leave_nothing_behind(office: Any, amala: Officer) -> None:
    before = office.app.live.open_streams
    async with amala.stream() as one, amala.stream():
        await one.count(0)
        assert office.app.live.open_streams == before + 2
    one.response.close()
    await until(lambda: bool(office.app.live.open_streams == before))


async def test_proxies_neither_hold_it_up_nor_keep_it(office: Any, amala: Officer) -> None:
    headers = {"Authorization": f"Bearer {amala.token}", "Accept-Encoding": "gzip, br"}
    async with office.session.get(f"{office.url}/notifications/stream", headers=headers) as answer:
        told = {name: answer.headers.get(name) for name in PROXIES}
    assert told == PROXIES


PROXIES = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Content-Encoding": None,
    "X-Accel-Buffering": "no",
    "Cache-Control": "no-store",
}


async def test_a_client_that_does_not_read_is_cut_off_and_others_hear_on(office: Any, amala: Officer) -> None:
    await until(lambda: office.app.live.open_streams == 0)
    told = 0
    many = [office.screen(user=amala.email, message="\N{ENVELOPE}" * 5_000)] * 40
    async with amala.stream() as opened:
        with deaf(office.url, amala.token):
            await until(lambda: office.app.live.open_streams == 2)
            while office.app.live.open_streams == 2:
                assert told < 1_000, "it is told ever more"
                answer = await office.call("POST", "/notifications/bulk", body=many)
                assert answer.status == 207, answer.text
                told += len(many)
                await opened.count(told, seconds=30)
        assert office.app.live.open_streams == 1
        await amala.told()
        await opened.count(told + 1)


@contextmanager
def deaf(url: str, token: str) -> Iterator[None]:
    """A client that opens a stream and never reads."""
    where = urlsplit(url)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.connect((where.hostname, where.port))
        head = f"GET /notifications/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
        connection.sendall(head.encode())
        yield


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.02)


async def test_what_is_put_away_in_one_tab_is_off_the_list_of_the_other(office: Any, amala: Officer) -> None:
    made = await amala.told()
    async with amala.stream() as opened:
        await opened.count(1)
        await amala.act(made, {"actionType": "Archived"})
        removed = await opened.next_of("removed")
        await opened.count(0)
        await amala.act(made, {"actionType": "IsUnread"})
        back = await opened.next_of("changed")

    assert removed.data == {"id": made["id"]}
    assert (back.data["id"], back.data["isReadStatus"], back.data["isArchived"]) == (made["id"], False, False)
