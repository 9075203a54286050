"""An office without doors: the app over a database and the sandbox, two services, and the people who read."""

import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, Table, select

from notify_sandbox.testing import SandboxUnderTest, running_sandbox
from postroom.app import App, running_app
from postroom.channels.govuk_notify import Receipt
from postroom.domain.caller import Caller, Person, ServiceCaller
from postroom.domain.channel import Channel
from postroom.domain.notification import Delivery, Notification
from postroom.domain.retry import RetryPolicy
from postroom.features.notifications.act import Action, act
from postroom.features.notifications.find import Filters, Page, find_one, find_page
from postroom.features.notifications.request import NewNotification
from postroom.features.notifications.settle import settle
from postroom.features.notifications.tables import deliveries
from postroom.features.notifications.withdraw import withdraw
from postroom.features.services import Registration, register
from postroom.settings import Settings

POLICY = RetryPolicy(
    call_timeout=timedelta(seconds=0.4),
    lease=timedelta(seconds=4),
    quiet=timedelta(seconds=1),
    second_look=timedelta(seconds=0.5),
    first_wait=timedelta(seconds=0.2),
    limited_wait=timedelta(seconds=0.2),
    poll_email_and_text=timedelta(seconds=2),
    poll_letter=timedelta(seconds=2),
)
SECRET = "a secret of at least 32 characters, for tests"


@dataclass
class Office:
    """What a test does here is what a door would do. `ahead` moves the office's clock."""

    app: App
    sandbox: SandboxUnderTest
    clock: "MovedClock"
    repairs: ServiceCaller = field(init=False)
    housing: ServiceCaller = field(init=False)

    @property
    def now(self) -> datetime:
        return self.clock()

    async def open(self) -> None:
        self.repairs = await self._register("repairs", default_group="repairs-officers", prepend_name=True)
        self.housing = await self._register("housing")

    async def _register(self, name: str, **settings: Any) -> ServiceCaller:
        registration = Registration(
            name=name, notify_key=self.sandbox.api_key, notify_base_url=self.sandbox.url, **settings
        )
        async with self.app.database.transaction() as conn:
            service_id = await register(conn, registration, vault=self.app.vault, now=self.now)
        return ServiceCaller(service_id, name)

    def email(self, **changed: Any) -> NewNotification:
        values: dict[str, Any] = {
            "channels": (Channel.EMAIL,),
            "email": "amala@example.com",
            "template_id": self.sandbox.templates["email"],
            "personalisation": {"name": "Amala", "ref": "R-1"},
            "service_key": "repairs",
        }
        return NewNotification(**(values | changed))

    def screen(self, **changed: Any) -> NewNotification:
        values: dict[str, Any] = {
            "channels": (Channel.SCREEN,),
            "target_id": "t-1",
            "message": "Estimates are ready",
            "user": "joe@hackney.gov.uk",
        }
        return NewNotification(**(values | changed))

    async def create(self, new: NewNotification, *, caller: ServiceCaller | None = None) -> Notification:
        made = await self.app.creator.create(new, caller=caller or self.repairs, now=self.now)
        return made.notification

    async def find(self, caller: Caller, **filters: Any) -> Page:
        async with self.app.database.reading() as conn:
            return await find_page(
                conn, Filters(**filters), caller=caller, vault=self.app.vault, now=self.now
            )

    async def one(self, notification: Notification, caller: Caller | None = None) -> Notification:
        async with self.app.database.reading() as conn:
            return await find_one(conn, notification.id, caller=caller or self.repairs, vault=self.app.vault)

    async def act(self, notification: Notification, action: Action, *, caller: Caller) -> Notification:
        async with self.app.database.transaction() as conn:
            return await act(conn, notification.id, action, caller=caller, vault=self.app.vault, now=self.now)

    async def withdraw(self, notification: Notification, *, caller: Caller) -> None:
        async with self.app.database.transaction() as conn:
            await withdraw(
                conn, notification.id, caller=caller, vault=self.app.vault, queue=self.app.queue, now=self.now
            )

    async def step(self, notification: Notification) -> Delivery:
        """Do the step of its first delivery that is due next, at its time; the delivery after it."""
        (delivery,) = (await self.one(notification)).deliveries[:1]
        row = await self.row(deliveries, delivery.id)
        if row.due_at is not None:
            self.clock.until(row.due_at)
        await self.app.sender.step(delivery.id)
        return (await self.one(notification)).deliveries[0]

    async def receive(self, delivery: Delivery, status: str, *, caller: ServiceCaller | None = None) -> None:
        await settle(
            Receipt(id=delivery.notify_id or "n-1", status=status, reference=delivery.id),
            service_id=(caller or self.repairs).service_id,
            database=self.app.database,
            changes=self.app.changes,
            policy=self.app.settings.policy,
            now=self.now,
        )

    async def rows(self, table: Table) -> list[Row[Any]]:
        async with self.app.database.reading() as conn:
            return list(await conn.execute(select(table)))

    async def row(self, table: Table, row_id: str) -> Row[Any]:
        return next(row for row in await self.rows(table) if row.id == row_id)


class MovedClock:
    """The time, and what a test adds to it. It can stand still: nothing comes due on a slow machine then."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)
        self._stands_at: datetime | None = None

    def __call__(self) -> datetime:
        return self._stands_at or datetime.now(UTC) + self.ahead

    def until(self, moment: datetime) -> None:
        if self._stands_at is not None:
            self._stands_at = max(moment, self._stands_at)
        else:
            self.ahead += max(moment - self(), timedelta(0))

    def stand_still(self) -> None:
        self._stands_at = self()

    def go_on(self) -> None:
        """Go on from where it stood, or from where it would be by now."""
        stood_at, self._stands_at = self(), None
        self.until(stood_at)


@pytest.fixture
async def sandbox() -> AsyncIterator[SandboxUnderTest]:
    async with running_sandbox() as running:
        yield running


@pytest.fixture
def sqlite_url(tmp_path: Path, _migrated_file: Path) -> str:
    """A database of its own that has the tables."""
    return f"sqlite:///{shutil.copy(_migrated_file, tmp_path / 'postroom.db')}"


@pytest.fixture(scope="session")
def _databases(_migrated_databases: Any) -> Any:
    """Those that `postgres_url` takes from have the tables too."""
    return _migrated_databases


@asynccontextmanager
async def open_office(database_url: str, sandbox: SandboxUnderTest, **chosen: Any) -> AsyncIterator[Office]:
    settings = Settings(
        database_url=database_url,
        secret=SECRET,
        officer_token_secret=SECRET,
        raw_notify_keys=True,
        notify_base_url=sandbox.url,
        policy=POLICY,
        **chosen,
    )
    clock = MovedClock()
    async with running_app(settings, clock=clock) as app:
        opened = Office(app, sandbox, clock)
        await opened.open()
        yield opened


@pytest.fixture
async def office(database_url: str, sandbox: SandboxUnderTest) -> AsyncIterator[Office]:
    async with open_office(database_url, sandbox) as opened:
        yield opened


@pytest.fixture
async def postgres_office(postgres_url: str, sandbox: SandboxUnderTest) -> AsyncIterator[Office]:
    async with open_office(postgres_url, sandbox) as opened:
        yield opened


@pytest.fixture
async def sqlite_office(sqlite_url: str, sandbox: SandboxUnderTest) -> AsyncIterator[Office]:
    async with open_office(sqlite_url, sandbox) as opened:
        yield opened


@pytest.fixture
def offices() -> "Callable[[str], AbstractAsyncContextManager[Office]]":
    """Opens an office with a sandbox of its own, for a test that keeps its own loop."""

    @asynccontextmanager
    async def opened(database_url: str) -> AsyncIterator[Office]:
        async with running_sandbox() as sandbox, open_office(database_url, sandbox) as office:
            yield office

    return opened


@pytest.fixture
def moved_clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def joe() -> Person:
    return Person("joe@hackney.gov.uk", groups=("repairs-officers",))


@pytest.fixture
def amala() -> Person:
    return Person("amala@hackney.gov.uk", groups=("repairs-officers", "leaseholders"))
