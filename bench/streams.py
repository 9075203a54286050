"""Live streams: the memory of each with 5,000 open, and how soon a POST shows on a badge with 1,000 of them.

Each is an open connection of another officer, who is in 20 groups, of which one is everybody's. Memory is
what the API's process has more of than before the first, by the stream; the most it ever had, when one
notification has come to all of them. A wait is from before the POST is written until an officer's page has
been told the new count: to one officer at a time, and to all 1,000 by their group. CPU is what the API
spends on that, by the stream. The floor is a bare ASGI application on the same server, which holds the
connections and writes what is posted to each (bench/floors/streams.py). On PostgreSQL also with the streams
at two processes, of which one is posted to.
"""

import asyncio
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import uvloop

from bench.figures import Figure, below, middle, percentile
from bench.listening import Page, Pages, Poster, many_files, poster
from bench.loading import request
from bench.office import Office, doors, prepare
from bench.options import Bench
from bench.servers import Running, running
from bench.waiting import in_milliseconds
from postroom.interfaces.tokens import issue_officer_token

MANY, SOME = 5_000, 1_000
AIM_KB, AIM_MS = 25, 100
_GROUPS, _TEAMS = 20, 150
_BYTES_OF_A_NOTIFICATION = 450
_TO_ONE, _TO_ALL, _FIRST = 300, 30, 5
_EVERY_SECONDS = 0.03
_REST_SECONDS = 1
_NOWHERE = "http://127.0.0.1:9"
_EVENT = b'id: 17.0123abcd\nevent: new\ndata: %b\n\nid: 17.0123abcd\nevent: count\ndata: {"unread":17}\n\n'


@dataclass(frozen=True)
class Asked:
    """What a server is asked: to open streams, and to tell one or all of them something."""

    streams: Sequence[bytes]
    to_all: bytes
    to_one: Callable[[int], bytes] | None = None


@dataclass
class Waited:
    """Seconds from before a POST until a page has been told, and CPU seconds for each page of a group."""

    one: list[float] = field(default_factory=list)
    all: list[float] = field(default_factory=list)
    cpu: float = 0


def measure(bench: Bench) -> Iterator[Figure]:
    with many_files():
        with running("bench.floors.streams", place=bench.place) as floor:
            held = _kept_by(floor, _of_floor(MANY))
        with running("bench.floors.streams", place=bench.place) as floor:
            waited = _waited([floor], _of_floor(SOME))
        # How much a stream holds is the same over any database.
        yield from _memory(bench, bench.databases[-1], held)
        for kind in bench.databases:
            for processes in (1, 2) if kind == "postgres" else (1,):
                yield from _waits(bench, kind, processes, waited)


def _memory(bench: Bench, kind: str, floor: tuple[float, float]) -> Iterator[Figure]:
    with bench.databases_of(kind, 1) as (url,):
        office = prepare(url, notify_url=_NOWHERE)
        with doors(office, "api", place=bench.place) as api:
            kept = _kept_by(api, _of_office(office, MANY))
    names = ("memory of a stream", "the most memory of a stream")
    for name, ours, bare in zip(names, kept, floor, strict=True):
        yield _beside(below(AIM_KB, f"{name}, {MANY:,} open, {kind}", ours, unit="kB"), bare)


def _waits(bench: Bench, kind: str, processes: int, floor: Waited) -> Iterator[Figure]:
    with bench.databases_of(kind, 1) as (url,), ExitStack() as stack:
        office = prepare(url, notify_url=_NOWHERE)
        apis = [stack.enter_context(doors(office, "api", place=bench.place)) for _ in range(processes)]
        waited = _waited(apis, _of_office(office, SOME))
    where = f"{kind}, {processes} processes" if processes > 1 else kind
    for name, ours, bare in (("one", waited.one, floor.one), (f"all {SOME:,}", waited.all, floor.all)):
        figure = below(
            AIM_MS,
            f"POST to badge of {name}, p99, {where}",
            percentile(in_milliseconds(ours), 99),
            unit="ms",
            p50_ms=middle(in_milliseconds(ours)),
        )
        yield _beside(figure, percentile(in_milliseconds(bare), 99)) if bare else figure
    yield _beside(Figure(f"CPU of telling one of {SOME:,}, {where}", waited.cpu * 1e6, "µs"), floor.cpu * 1e6)


def _beside(figure: Figure, floor: float) -> Figure:
    return replace(figure, floor=floor, ratio=figure.ours / floor)


def _of_office(office: Office, number: int) -> Asked:
    def post(user: str) -> bytes:
        body = {
            "notificationType": "Screen",
            "targetId": "target-17",
            "targetType": "Estimates",
            "user": user,
            "message": "The estimates are ready to be approved",
        }
        return request(0, "/notifications", json.dumps(body).encode(), {"x-api-key": office.api_key})

    return Asked(
        streams=[_a_stream(_token(office, place)) for place in range(number)],
        to_all=post("group:everybody"),
        to_one=lambda place: post(_officer(place)),
    )


def _officer(place: int) -> str:
    return f"amala.officer-{place}@hackney.gov.uk"


def _token(office: Office, place: int) -> str:
    teams = [f"team-{(place + each) % _TEAMS}" for each in range(_GROUPS - 1)]
    return issue_officer_token(
        secret=office.secret,
        email=_officer(place),
        groups=["everybody", *teams],
        issued_at=int(time.time()),
        valid_for_seconds=3_600,
    )


def _a_stream(token: str) -> bytes:
    lines = ["GET /notifications/stream HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {token}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _of_floor(number: int) -> Asked:
    event = _EVENT % json.dumps({"message": "x" * _BYTES_OF_A_NOTIFICATION}).encode()
    return Asked(streams=[_a_stream("")] * number, to_all=request(0, "/", event, {}))


def _kept_by(server: Running, asked: Asked) -> tuple[float, float]:
    """Kilobytes of a stream, and the most it was."""

    async def hold() -> tuple[float, float]:
        # What is read and made for the first ones stays.
        await _told_all(server, asked, streams=asked.streams[:20])
        before = server.memory_mb()
        kept = await _told_all(server, asked, streams=asked.streams)
        most = server.most_memory_mb()
        return tuple((each - before) * 1024 / len(asked.streams) for each in (kept, most))

    return uvloop.run(hold())


async def _told_all(server: Running, asked: Asked, *, streams: Sequence[bytes]) -> float:
    """The server's memory while the streams are open, before something is told to all of them."""
    pages, door = Pages(), await poster(server.port)
    await pages.open(server.port, streams)
    await asyncio.sleep(_REST_SECONDS)
    kept = server.memory_mb()
    pages.await_count(pages.all)
    await door.post(asked.to_all)
    await pages.counts()
    door.close()
    pages.close()
    await asyncio.sleep(_REST_SECONDS)
    return kept


def _waited(servers: Sequence[Running], asked: Asked) -> Waited:
    return uvloop.run(_wait(servers, asked))


async def _wait(servers: Sequence[Running], asked: Asked) -> Waited:
    """With the streams spread over the servers, of which the first is posted to."""
    pages, door, waited = Pages(), await poster(servers[0].port), Waited()
    of: dict[int, Page] = {}
    for first, server in enumerate(servers):
        places = range(first, len(asked.streams), len(servers))
        opened = await pages.open(server.port, [asked.streams[place] for place in places])
        of.update(zip(places, opened, strict=True))
    await asyncio.sleep(_REST_SECONDS)
    for _ in range(_FIRST):
        await _post(door, asked.to_all, pages, pages.all)
    spent = sum(server.cpu_seconds() for server in servers)
    for _ in range(_TO_ALL):
        waited.all += await _post(door, asked.to_all, pages, pages.all)
    waited.cpu = (sum(server.cpu_seconds() for server in servers) - spent) / len(waited.all)
    for place in random.sample(range(len(of)), _TO_ONE) if asked.to_one else ():
        waited.one += await _post(door, asked.to_one(place), pages, [of[place]])
    door.close()
    pages.close()
    return waited


async def _post(door: Poster, request: bytes, pages: Pages, some: Sequence[Page]) -> list[float]:
    # Not in step with anything that wakes at equal times.
    await asyncio.sleep(_EVERY_SECONDS * random.uniform(0.5, 1.5))
    pages.await_count(some)
    before = time.perf_counter()
    await door.post(request)
    return [heard - before for heard in await pages.counts()]
