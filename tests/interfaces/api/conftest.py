"""A whole office in the test's own loop: the API, a worker, a database, and the sandbox of GOV.UK Notify."""

import asyncio
import contextlib
import io
import json
import shutil
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import OctKey
from sqlalchemy import func, select
from yarl import URL

from notify_sandbox.demo import demo_seed
from notify_sandbox.model import Callback, Channel
from notify_sandbox.seed import Seed, SeedTemplate
from notify_sandbox.testing import SandboxUnderTest, running_sandbox
from postroom.app import App, running_app
from postroom.features.audit.store import audit_entries
from postroom.features.limits import FAR_ABOVE, ServiceLimits
from postroom.features.notifications.tables import deliveries, notifications
from postroom.features.services import NewKey, Registration, issue_key, register, register_again
from postroom.features.services.store import credentials
from postroom.interfaces.tokens import issue_officer_token
from postroom.kit import log as logs
from postroom.run import listen, run_doors
from postroom.settings import Settings, read_settings

RECEIPT_TOKEN = "receipts-of-the-demo-service-0001"
SECRETS = {
    "POSTROOM_SECRET": "a-secret-for-tests-that-is-long-enough",
    "OFFICER_TOKEN_SECRET": "the-secret-that-signs-officers-tokens",
}
QUICK = {
    "RAW_NOTIFY_KEYS": "on",
    "POSTROOM_PRIVATE_WEBHOOKS": "on",
    "POSTROOM_CALL_TIMEOUT_SECONDS": "1",
    "POSTROOM_LEASE_SECONDS": "4",
    "POSTROOM_QUIET_SECONDS": "1.5",
    "POSTROOM_SECOND_LOOK_SECONDS": "0.3",
    "POSTROOM_FIRST_WAIT_SECONDS": "0.1",
    "POSTROOM_LONGEST_WAIT_SECONDS": "0.5",
    "POSTROOM_LIMITED_WAIT_SECONDS": "0.2",
    "POSTROOM_POLL_LETTER_SECONDS": "0.2",
}
KEPT = (notifications, deliveries, audit_entries, credentials)
PROBLEM = {"type", "title", "status", "detail", "userErrorMessage", "devErrorMessages", "correlationId"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered: status, headers, and the body as JSON where it is JSON."""

    status: int
    headers: Any
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)

    @property
    def fields(self) -> dict[str, str]:
        """The fields at fault with what to do about each; a field that is named twice fails the test."""
        errors = [(error["field"], error["message"]) for error in self.body["errors"]]
        assert len(dict(errors)) == len(errors), errors
        return dict(errors)


@dataclass(slots=True)
class Office:
    """A running Postroom with the service `demo` (with templates) and the service `other`."""

    url: str
    app: App
    sandbox: SandboxUnderTest
    session: aiohttp.ClientSession
    key: str = ""
    other_key: str = ""
    service_id: str = ""
    receipt_token: str = RECEIPT_TOKEN
    templates: dict[str, str] = field(default_factory=dict)

    async def call(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        token: str | None = None,
        anonymous: bool = False,
        headers: dict[str, str] | None = None,
        body: Any = None,
        raw: bytes | None = None,
    ) -> Answer:
        """Call as the demo service, or as whom the key or the officer's token names."""
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        elif not anonymous:
            sent["x-api-key"] = self.key if key is None else key
        data = json.dumps(body).encode() if raw is None and body is not None else raw
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        # Percent signs arrive as they are written here.
        url = URL(self.url + path, encoded=True)
        content = None if data is None else io.BytesIO(data)
        async with self.session.request(
            method, url, data=content, headers=sent, allow_redirects=False
        ) as got:
            return Answer(status=got.status, headers=got.headers.copy(), text=await got.text())

    async def get(self, path: str, **how: Any) -> Answer:
        return await self.call("GET", path, **how)

    async def problem(self, status: int, method: str, path: str, **how: Any) -> Any:
        """The problem that a call is answered with."""
        answer = await self.call(method, path, **how)
        check_problem(answer, status)
        return answer.body

    async def post(self, body: Any, **how: Any) -> Answer:
        return await self.call("POST", "/notifications", body=body, **how)

    async def patch(self, notification_id: str, body: Any, **how: Any) -> Answer:
        return await self.call("PATCH", f"/notifications/{notification_id}", body=body, **how)

    async def delete(self, notification_id: str, **how: Any) -> Answer:
        return await self.call("DELETE", f"/notifications/{notification_id}", **how)

    async def accepted(self, body: Any, **how: Any) -> Any:
        """What was made of a request that has to be accepted."""
        answer = await self.post(body, **how)
        assert answer.status == 201, answer.text
        return answer.body

    async def issue(self, service: str = "other", **how: Any) -> NewKey:
        """One more key of a service."""
        found = await self.app.directory.by_name(service)
        assert found is not None
        now = how.pop("now", self.app.clock())
        async with self.app.database.transaction() as conn:
            return await issue_key(
                conn, vault=self.app.vault, service_id=found.id, name="more", now=now, **how
            )

    async def register(self, name: str, limits: ServiceLimits) -> str:
        """A service more, with a Notify key; its API key."""
        registration = Registration(
            name=name, notify_key=self.sandbox.api_key, notify_base_url=self.sandbox.url, limits=limits
        )
        vault, now = self.app.vault, self.app.clock()
        async with self.app.database.transaction() as conn:
            service_id = await register(conn, registration, vault=vault, now=now)
            return (await issue_key(conn, vault=vault, service_id=service_id, name="one", now=now)).key

    def token(self, email: str = "amala.officer@hackney.gov.uk", *, groups: tuple[str, ...] = ()) -> str:
        return issue_officer_token(
            secret=SECRETS["OFFICER_TOKEN_SECRET"],
            email=email,
            groups=list(groups),
            issued_at=int(time.time()),
            valid_for_seconds=600,
        )

    def signed(self, claims: dict[str, Any], *, secret: str = SECRETS["OFFICER_TOKEN_SECRET"]) -> str:
        """Any claims, as a token."""
        return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(secret))

    def email(self, **others: Any) -> dict[str, Any]:
        """A request for an email that is right, but for what is given."""
        return {
            "notificationType": "Email",
            "serviceKey": "demo",
            "templateId": self.templates["email"],
            "email": "joe@example.com",
            "personalisationParams": {"name": "Joe", "ref": "X1"},
        } | others

    def text(self, **others: Any) -> dict[str, Any]:
        return {
            "notificationType": "Text",
            "serviceKey": "demo",
            "templateId": self.templates["text"],
            "mobileNumber": "07700 900456",
            "personalisationParams": {"name": "Joe", "code": "1234"},
        } | others

    def letter(self, **others: Any) -> dict[str, Any]:
        return {
            "notificationType": "Letter",
            "serviceKey": "demo",
            "templateId": self.templates["letter"],
            "personalisationParams": {
                "name": "Joe",
                "addressLine1": "Joe Bloggs",
                "addressLine2": "123 High Street",
                "addressLine3": "SW14 6BH",
            },
        } | others

    def screen(self, **others: Any) -> dict[str, Any]:
        return {
            "notificationType": "Screen",
            "targetId": "Ida1029365-62b1-42e4-b71f-3793ac6ea48f",
            "targetType": "FailedDirectDebits",
            "message": "Direct Debit failed",
        } | others

    async def refused(self, body: Any = None, *, status: int = 400, **how: Any) -> Answer:
        """The answer to a POST that has to be refused: a problem in both shapes, and nothing is kept."""
        before = await self.counts()
        answer = await self.post(body, **how)
        check_problem(answer, status)
        assert await self.counts() == before
        return answer

    async def counts(self) -> dict[str, int]:
        """How many rows an accepted request adds to, by table: without a delivery, nothing is ever sent."""
        async with self.app.database.reading() as conn:
            return {
                table.name: int(await conn.scalar(select(func.count()).select_from(table)) or 0)
                for table in KEPT
            }

    async def ended(self, notification_id: str, *, seconds: float = 10) -> Any:
        """The notification once all its deliveries have ended."""
        return await self.until(
            notification_id,
            lambda item: all(each["completedAt"] is not None for each in item["deliveries"]),
            seconds=seconds,
        )

    async def until(self, notification_id: str, true: Callable[[Any], bool], *, seconds: float = 10) -> Any:
        end = time.monotonic() + seconds
        while True:
            item = (await self.get(f"/notifications/{notification_id}")).body
            if true(item):
                return item
            assert time.monotonic() < end, f"it did not come to pass: {item}"
            await asyncio.sleep(0.02)


def check_problem(answer: Answer, status: int) -> None:
    """RFC 9457 with the council's own two members beside it."""
    assert answer.status == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.body
    assert set(problem) - {"errors", "reason"} == PROBLEM
    assert problem["status"] == status
    assert problem["correlationId"] == answer.headers["x-correlation-id"]
    assert problem["userErrorMessage"]
    assert ("errors" in problem) is (status == 400)
    if status == 400:
        told = [f"{error['field']}: {error['message']}" for error in problem["errors"]]
        assert problem["devErrorMessages"] == told


@contextlib.asynccontextmanager
async def running_office(settings: Settings) -> AsyncIterator[Office]:
    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    stop, started = asyncio.Event(), asyncio.Event()
    async with (
        running_sandbox(seed=_seed(callback=f"{url}/receipts/govuk-notify"), speed=20) as sandbox,
        aiohttp.ClientSession() as session,
        running_app(with_notify_at(settings, sandbox.url)) as app,
    ):
        doors = asyncio.create_task(
            run_doors(app, listener=listener, worker=True, stop=stop, started=started.set)
        )
        doors.add_done_callback(lambda _: started.set())
        try:
            await started.wait()
            assert not doors.done(), doors.exception()
            office = Office(url=url, app=app, sandbox=sandbox, session=session, templates=sandbox.templates)
            await _furnish(office)
            yield office
        finally:
            stop.set()
            await doors


def _seed(*, callback: str) -> Seed:
    """The demo's service, with the template of the specification's example beside its own."""
    seed = demo_seed(callback=Callback(url=callback, bearer_token=RECEIPT_TOKEN))
    seed.services[0].templates.append(
        SeedTemplate(
            alias="welcome",
            type=Channel.EMAIL,
            id="9500a44b-8a7f-4fff-a3b8-45763f84874e",
            name="Welcome",
            subject="Welcome",
            body="Message",
        )
    )
    return seed


def with_notify_at(settings: Settings, url: str) -> Settings:
    """The settings with raw keys meant for the sandbox."""
    return Settings(
        **{name: getattr(settings, name) for name in settings.__slots__} | {"notify_base_url": url}
    )


async def _furnish(office: Office) -> None:
    app, now = office.app, office.app.clock()
    demo = Registration(
        name="demo",
        notify_key=office.sandbox.api_key,
        notify_base_url=office.sandbox.url,
        default_group="demo-officers",
        template_names={"Welcome": office.templates["email"]},
        # Many tests share this office: no limit comes between them.
        limits=FAR_ABOVE,
    )
    async with app.database.transaction() as conn:
        key = await register_again(conn, demo, vault=app.vault, receipt_token=RECEIPT_TOKEN, now=now)
        other = await register(conn, Registration(name="other"), vault=app.vault, now=now)
        other_key = await issue_key(conn, vault=app.vault, service_id=other, name="first", now=now)
    office.key, office.service_id, office.other_key = key.key, key.service_id, other_key.key


def settings_for(database_url: str, **others: str) -> Settings:
    return read_settings({"DATABASE_URL": database_url} | SECRETS | QUICK | others)


@pytest.fixture(scope="session", autouse=True)
def _logs_as_in_production() -> None:
    logs.configure(level="INFO", stream=io.StringIO())


@pytest.fixture(scope="module")
def chosen() -> dict[str, str]:
    """The settings that a module's office has beside the usual ones."""
    return {}


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=[
        pytest.param("sqlite", marks=pytest.mark.sqlite),
        pytest.param("postgres", marks=pytest.mark.postgres),
    ],
)
async def office(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, chosen: dict[str, str]
) -> AsyncIterator[Office]:
    """One office for all tests of a module, on each kind of database."""
    if request.param == "sqlite":
        place: Path = tmp_path_factory.mktemp("office")
        file = shutil.copy(request.getfixturevalue("_migrated_file"), place / "postroom.db")
        async with running_office(settings_for(f"sqlite:///{file}", **chosen)) as running:
            yield running
        return
    databases = request.getfixturevalue("_migrated_databases")
    name = databases.take()
    try:
        async with running_office(settings_for(f"{databases.server}/{name}", **chosen)) as running:
            yield running
    finally:
        databases.drop(name)


@pytest_asyncio.fixture(loop_scope="module")
async def calm(office: Office) -> AsyncIterator[None]:
    """Whatever a test does to the sandbox is undone after it."""
    callback = office.sandbox.service.callback
    yield
    office.sandbox.heal()
    assert isinstance(callback, Callback)
    office.sandbox.call_back(callback.url, bearer_token=callback.bearer_token)
