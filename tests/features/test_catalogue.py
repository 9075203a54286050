"""Templates are asked for once, remembered, and kept while the provider is away."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from notify_sandbox.testing import SandboxUnderTest
from postroom.channels.govuk_notify import NotifyClients, NotifyRefusedKey, NotifyUnavailable
from postroom.features.services import Credential
from postroom.features.templates import Catalogue
from postroom.kit.clock import utc_now
from postroom.kit.ids import new_id

if TYPE_CHECKING:
    from tests.features.conftest import MovedClock

MINUTES_5 = timedelta(minutes=5)
PATIENCE = timedelta(seconds=0.1)


class Asked:
    """A catalogue over the sandbox; counts how often that is asked, and moves the catalogue's time alone."""

    def __init__(self, sandbox: SandboxUnderTest, clients: NotifyClients, clock: "MovedClock") -> None:
        self.sandbox = sandbox
        self.clock = clock
        self.catalogue = Catalogue(clients=clients, clock=clock, patience=PATIENCE)
        self.credential = Credential(id=new_id(), base_url=sandbox.url, key=sandbox.api_key)
        self.times = 0
        client = clients.of(base_url=sandbox.url, key=sandbox.api_key)
        ask = client.templates

        async def counted() -> object:
            self.times += 1
            return await ask()

        client.templates = counted  # type: ignore[method-assign, assignment]

    async def get(self, wanted: str | None = None) -> set[str] | None:
        found = await self.catalogue.get(self.credential, wanted=wanted)
        return None if found is None else set(found)

    @property
    def all(self) -> set[str]:
        return set(self.sandbox.templates.values())


@pytest.fixture
async def asked(sandbox: SandboxUnderTest, moved_clock: "MovedClock") -> AsyncIterator[Asked]:
    clients = NotifyClients(clock=utc_now, call_seconds=0.3)
    yield Asked(sandbox, clients, moved_clock)
    await clients.close()


async def test_many_who_want_to_know_ask_once(asked: Asked) -> None:
    assert await asyncio.gather(*(asked.get() for _ in range(30))) == [asked.all] * 30
    assert asked.times == 1


@pytest.mark.parametrize(
    ("later", "times"), [(timedelta(minutes=3, seconds=59), 1), (timedelta(minutes=5, seconds=1), 2)]
)
async def test_they_are_remembered_for_five_minutes(asked: Asked, later: timedelta, times: int) -> None:
    await asked.get()
    asked.clock.ahead += later

    assert (await asked.get(), asked.times) == (asked.all, times)


async def test_before_they_are_old_they_are_asked_for_and_nobody_waits(asked: Asked) -> None:
    await asked.get()
    asked.sandbox.fail("slow", seconds=0.2, times=1)
    asked.clock.ahead += timedelta(minutes=4, seconds=1)

    for _ in range(3):
        assert await asked.get() == asked.all
        assert set(await asked.catalogue.current(asked.credential)) == asked.all
    await asyncio.sleep(0.25)
    assert asked.times == 2
    asked.clock.ahead += timedelta(minutes=3, seconds=50)

    assert (await asked.get(), asked.times) == (asked.all, 2)


async def test_asked_for_ahead_of_time_in_vain_they_stay(asked: Asked) -> None:
    await asked.get()
    asked.sandbox.fail("down")
    asked.clock.ahead += timedelta(minutes=4, seconds=1)

    assert await asked.get() == asked.all
    await asyncio.sleep(0.05)
    assert (await asked.get(), asked.times) == (asked.all, 2)


async def test_they_survive_that_notify_is_away(asked: Asked) -> None:
    await asked.get()
    asked.sandbox.fail("down")
    asked.clock.ahead += timedelta(days=1)

    assert await asked.get() == asked.all
    assert set(await asked.catalogue.current(asked.credential)) == asked.all
    with pytest.raises(NotifyUnavailable):
        await asked.catalogue.refreshed(asked.credential)


async def test_after_a_failure_it_is_not_asked_again_at_once(asked: Asked) -> None:
    asked.sandbox.fail("down")
    assert [await asked.get() for _ in range(5)] == [None] * 5
    assert asked.times == 1
    asked.sandbox.heal()
    asked.clock.ahead += timedelta(seconds=6)

    assert (await asked.get(), asked.times) == (asked.all, 2)


async def test_nobody_waits_longer_than_their_patience_and_the_answer_is_kept(asked: Asked) -> None:
    asked.sandbox.fail("slow", seconds=0.2, times=1)

    assert await asked.get() is None
    await asyncio.sleep(0.2)

    assert (await asked.get(), asked.times) == (asked.all, 1)


async def test_an_unknown_id_is_asked_for_again_after_some_seconds(asked: Asked) -> None:
    unknown = new_id()
    await asked.get(unknown)
    await asked.get(unknown)
    assert asked.times == 1
    asked.clock.ahead += timedelta(seconds=6)

    await asked.get(unknown)
    await asked.get(next(iter(asked.all)))

    assert asked.times == 2


async def test_a_refresh_always_asks(asked: Asked) -> None:
    await asked.get()

    assert set(await asked.catalogue.refreshed(asked.credential)) == asked.all
    assert asked.times == 2


async def test_a_refused_key_forgets_them(asked: Asked) -> None:
    await asked.get()
    asked.sandbox.revoke("live")
    asked.clock.ahead += MINUTES_5 * 2

    for _ in range(2):
        with pytest.raises(NotifyRefusedKey):
            await asked.get()


async def test_a_cold_start_while_notify_is_away_is_said(asked: Asked) -> None:
    asked.sandbox.fail("down")

    with pytest.raises(NotifyUnavailable):
        await asked.catalogue.current(asked.credential)


def test_a_credential_does_not_show_its_key(asked: Asked) -> None:
    assert asked.credential.key not in f"{asked.credential!r} {asked.credential}"
