"""The ways in which it fails on purpose."""

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp
import jwt
import pytest

from notify_sandbox.catching import until
from notify_sandbox.testing import SandboxUnderTest, running_sandbox


class Sender:
    def __init__(self, sandbox: SandboxUnderTest, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self._session = session

    async def post(self) -> tuple[int, str]:
        key = self.sandbox.api_key
        token = jwt.encode({"iss": key[-73:-37], "iat": int(time.time())}, key[-36:], algorithm="HS256")
        async with self._session.post(
            f"{self.sandbox.url}/v2/notifications/email",
            json={"email_address": "a@example.com", "template_id": self.sandbox.templates["email_plain"]},
            headers={"Authorization": f"Bearer {token}"},
            timeout=aiohttp.ClientTimeout(total=0.3),
        ) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def sender() -> AsyncIterator[Sender]:
    async with running_sandbox() as sandbox, aiohttp.ClientSession() as session:
        yield Sender(sandbox, session)


@pytest.mark.parametrize(
    ("kind", "status", "accepted"),
    [
        ("error", 500, 0),
        ("limited", 429, 0),
        ("rubbish", 200, 0),
        ("error-after-accepting", 500, 1),
        ("slow", 201, 1),
    ],
)
async def test_wrong_answers(kind: str, status: int, accepted: int, sender: Sender) -> None:
    sender.sandbox.fail(kind, times=1, seconds=0.01)

    assert (await sender.post())[0] == status
    assert len(sender.sandbox.sent()) == accepted
    assert (await sender.post())[0] == 201


@pytest.mark.parametrize(
    ("kind", "error", "accepted"),
    [
        ("down", aiohttp.ClientConnectionError, 0),
        ("silent", TimeoutError, 0),
        ("timeout-after-accepting", TimeoutError, 1),
        ("reset-after-accepting", aiohttp.ClientConnectionError, 1),
    ],
)
async def test_no_answers(kind: str, error: type[Exception], accepted: int, sender: Sender) -> None:
    sender.sandbox.fail(kind, times=1)
    with pytest.raises(error):
        await sender.post()

    assert len(sender.sandbox.sent()) == accepted
    assert (await sender.post())[0] == 201


async def test_what_came_to_a_slow_notify_is_taken_though_the_sender_hung_up(sender: Sender) -> None:
    sender.sandbox.fail("slow", times=1, seconds=0.6)
    with pytest.raises(TimeoutError):
        await sender.post()

    await until(lambda: len(sender.sandbox.sent()) == 1)


async def test_a_fault_lasts_until_it_is_healed_and_spares_other_paths(sender: Sender) -> None:
    sender.sandbox.fail("error", path="/v2/notifications", method="POST")
    refused = [(await sender.post())[0] for _ in range(3)]
    async with (
        aiohttp.ClientSession() as session,
        session.get(sender.sandbox.url + "/v2/templates") as answer,
    ):
        elsewhere = answer.status
    sender.sandbox.heal()

    assert refused == [500, 500, 500]
    assert elsewhere == 401
    assert (await sender.post())[0] == 201


async def test_connections_are_refused_while_nobody_listens(sender: Sender) -> None:
    sender.sandbox.refuse_connections(seconds=0.2)
    await until(lambda: not sender.sandbox.listening)
    with pytest.raises(aiohttp.ClientConnectorError):
        await asyncio.wait_for(sender.post(), 1)
    await until(lambda: sender.sandbox.listening)

    assert (await sender.post())[0] == 201


async def test_it_stops_quickly_with_connections_that_wait() -> None:
    """One asks and is never answered; one watches the mailbox."""
    async with aiohttp.ClientSession() as session:
        async with running_sandbox() as sandbox:
            sandbox.fail("silent")
            waiting = asyncio.create_task(session.get(sandbox.url + "/v2/templates"))
            watching = await session.get(sandbox.url + "/sandbox/events")
            await watching.content.readline()
            begun = time.monotonic()
        took = time.monotonic() - begun
        await asyncio.gather(waiting, return_exceptions=True)
        watching.close()

    assert took < 3
