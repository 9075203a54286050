"""A Postroom to be measured: its service registered, its limits far above, its provider the stub."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.servers import Running, running
from bench.stub import TEMPLATES
from postroom.app import App, running_app
from postroom.domain.caller import ServiceCaller
from postroom.domain.channel import Channel
from postroom.domain.lane import Lane
from postroom.features.limits import FAR_ABOVE, ServiceLimits
from postroom.features.notifications.request import NewNotification
from postroom.features.services import Registration, register_again
from postroom.kit.crypto import new_secret
from postroom.settings import read_settings

SERVICE = "bench"
NOTIFY_KEY = "bench-3f0e1b7a-52c4-4d7e-9a61-0c7f5f2a9d10-8d1c2b3a-4e5f-4a6b-8c7d-9e0f1a2b3c4d"
PERSONALISATION = {"name": "Amala", "ref": "REP-2026-00017"}
_TOGETHER = 256


@dataclass(frozen=True)
class Office:
    url: str
    secret: str
    service_id: str
    api_key: str
    receipt_token: str


def prepare(url: str, *, notify_url: str, a_minute: int | None = None) -> Office:
    """An office over an empty database. `a_minute` is how many calls the provider takes; else far above."""
    return asyncio.run(_prepare(url, notify_url, a_minute))


async def _prepare(url: str, notify_url: str, a_minute: int | None) -> Office:
    secret, receipt_token = new_secret(), new_secret()
    registration = Registration(
        name=SERVICE, notify_key=NOTIFY_KEY, notify_base_url=notify_url, limits=FAR_ABOVE
    )
    if a_minute is not None:
        registration = replace(
            registration, limits=FAR_ABOVE.changed(ServiceLimits(notify_a_minute=a_minute))
        )
    async with _app(url, secret) as app, app.database.transaction() as conn:
        key = await register_again(
            conn, registration, vault=app.vault, receipt_token=receipt_token, now=app.clock()
        )
    return Office(url, secret, key.service_id, key.key, receipt_token)


def an_email(place: int) -> NewNotification:
    return NewNotification(
        channels=(Channel.EMAIL,),
        service_key=SERVICE,
        template_id=TEMPLATES["email"],
        email=f"amala.{place}@example.com",
        personalisation=PERSONALISATION,
    )


New = Callable[[int], NewNotification]


def accept_many(office: Office, number: int, *, lane: Lane = Lane.SINGLE, new: New = an_email) -> None:
    """Have so many accepted, emails unless said otherwise, by the one way in."""
    asyncio.run(_accept_many(office, number, lane, new))


async def _accept_many(office: Office, number: int, lane: Lane, new: New) -> None:
    caller = ServiceCaller(office.service_id, SERVICE)
    async with _app(office.url, office.secret) as app:
        for start in range(0, number, _TOGETHER):
            together = range(start, min(start + _TOGETHER, number))
            await asyncio.gather(
                *(
                    app.creator.create(new(place), caller=caller, now=app.clock(), lane=lane)
                    for place in together
                )
            )


@contextmanager
def doors(office: Office, which: str, *, place: Path, **settings: str) -> Iterator[Running]:
    """A process of Postroom with these doors: api, worker, or api+worker."""
    environment = {**_environment(office.url, office.secret), **settings}
    with running("bench.ours", which, place=place, environment=environment) as each:
        yield each


@asynccontextmanager
async def _app(url: str, secret: str) -> AsyncIterator[App]:
    async with running_app(read_settings(_environment(url, secret))) as app:
        yield app


def _environment(url: str, secret: str) -> dict[str, str]:
    ours = {"DATABASE_URL": url, "POSTROOM_SECRET": secret, "OFFICER_TOKEN_SECRET": secret}
    return {**os.environ, **ours}
