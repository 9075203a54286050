"""The demo: API, worker and sandbox together, with a service, its templates and an officer to begin with."""

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from notify_sandbox.demo import demo_seed
from notify_sandbox.model import Callback
from postroom.app import App, running_app
from postroom.features.audit import By
from postroom.features.limits import FAR_ABOVE
from postroom.features.services import Registration, register_again
from postroom.interfaces.tokens import issue_officer_token
from postroom.kit import log as logs
from postroom.kit.crypto import CannotOpen, new_secret
from postroom.run import listen, run_async, run_doors, told_to_stop
from postroom.settings import BadSettings, ReadyOfficer, Settings, read_settings

SERVICE = "demo"
OFFICER = "amala.officer@hackney.gov.uk"
GROUP = "demo-officers"
_MANAGERS, _DEVELOPERS, _ADMINS = "demo-managers", "demo-developers", "demo-admins"
OFFICERS = (
    ReadyOfficer(OFFICER, (GROUP, "finance"), "A finance officer: estimates, direct debits, court action."),
    ReadyOfficer("joe.repairs@hackney.gov.uk", (GROUP, "repairs"), "A repairs officer: work orders."),
    ReadyOfficer(
        "mary.manager@hackney.gov.uk",
        (GROUP, "finance", "repairs", _MANAGERS),
        "Their manager: sees who has not confirmed yet.",
    ),
    ReadyOfficer(
        "kofi.developer@hackney.gov.uk",
        (_DEVELOPERS, _ADMINS),
        "A developer and admin: searches everything, with personal data masked; webhooks, keys, templates.",
    ),
)
"""Whom the pages of the demo let anybody be."""

_TOKEN_LASTS = timedelta(days=30)
_SANDBOX_START_SECONDS = 30
_SANDBOX_STOP_SECONDS = 0.5
_RESTART_SECONDS = 1

log = logs.get_logger(__name__)


class Kept(msgspec.Struct):
    """What a demo keeps in its folder, so that a restart finds everything as it was."""

    secret: str
    officer_token_secret: str
    receipt_token: str
    seed: str
    sandbox_port: int = 0


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The sandbox's process, and what it wrote of itself."""

    process: asyncio.subprocess.Process
    url: str
    api_key: str
    templates: dict[str, str]


def run_demo(*, host: str, port: int, data: Path, ready: Path | None, announce: "Announce") -> None:
    """Run the demo until SIGTERM or Ctrl-C. `announce` is given what the ready file says, once it answers."""
    data.mkdir(parents=True, exist_ok=True)
    kept = _kept(data)
    settings = _settings(kept, host=host, port=port, data=data)
    logs.configure(level=settings.log_level)
    run_async(_demo(settings, kept, data, ready, announce))


Announce = Any
"""A callable that is given the ready file's content as a dict."""


async def _demo(settings: Settings, kept: Kept, data: Path, ready: Path | None, announce: Announce) -> None:
    listener = listen(settings.host, settings.port)
    port = listener.getsockname()[1]
    url = f"http://{settings.host}:{port}"
    async with (
        told_to_stop() as stop,
        _sandbox(kept, data, callback=f"{url}/receipts/govuk-notify") as sandbox,
    ):
        supervising = asyncio.create_task(_keep_sandbox(sandbox, kept, data, url, stop))
        # Keys that come with requests are the sandbox's too: none of them ever goes to the real Notify.
        async with running_app(_of_this_demo(settings, sandbox, url)) as app:
            description = await _furnish(app, kept, sandbox, url)

            def started() -> None:
                if ready is not None:
                    _write(ready, msgspec.json.format(msgspec.json.encode(description)) + b"\n")
                announce(description)

            await run_doors(app, listener=listener, worker=True, stop=stop, started=started)
        supervising.cancel()


def _kept(data: Path) -> Kept:
    path = data / "demo.json"
    if path.exists():
        try:
            return msgspec.json.decode(path.read_bytes(), type=Kept)
        except msgspec.MsgspecError:
            raise BadSettings(f"{path} cannot be read: move it away to begin anew") from None
    kept = Kept(
        secret=new_secret(), officer_token_secret=new_secret(), receipt_token=new_secret(), seed=new_secret()
    )
    _keep(data, kept)
    return kept


def _keep(data: Path, kept: Kept) -> None:
    _write(data / "demo.json", msgspec.json.encode(kept))


def _settings(kept: Kept, *, host: str, port: int, data: Path) -> Settings:
    environment = dict(os.environ)
    environment.setdefault("DATABASE_URL", f"sqlite:///{(data / 'postroom.db').resolve()}")
    environment.setdefault("RAW_NOTIFY_KEYS", "on")
    environment.setdefault("POSTROOM_PRIVATE_WEBHOOKS", "on")
    environment.setdefault("POSTROOM_ALLOWED_ORIGINS", "http://localhost:*;http://127.0.0.1:*")
    # Nobody at a demo waits half an hour to see that a letter arrived.
    environment.setdefault("POSTROOM_POLL_LETTER_SECONDS", "2")
    environment.setdefault("POSTROOM_INSECURE_COOKIES", "on")
    environment.setdefault("POSTROOM_MANAGER_GROUPS", _MANAGERS)
    environment.setdefault("POSTROOM_DEVELOPER_GROUPS", _DEVELOPERS)
    environment.setdefault("POSTROOM_ADMIN_GROUPS", _ADMINS)
    environment["POSTROOM_SECRET"] = kept.secret
    environment["OFFICER_TOKEN_SECRET"] = kept.officer_token_secret
    settings = read_settings(environment, host=host, port=port)
    return replace(settings, pages=replace(settings.pages, ready_officers=OFFICERS, ready_service=SERVICE))


@asynccontextmanager
async def _sandbox(kept: Kept, data: Path, *, callback: str) -> AsyncIterator[Sandbox]:
    """The sandbox as a process of its own. It ends with us, even where we are killed."""
    sandbox = await _start_sandbox(kept, data, callback)
    try:
        yield sandbox
    finally:
        if sandbox.process.returncode is None:
            sandbox.process.terminate()
            try:
                # All that it accepted is on its disk: it may be cut off, so that we end within 5 s.
                async with asyncio.timeout(_SANDBOX_STOP_SECONDS):
                    await sandbox.process.wait()
            except TimeoutError:
                sandbox.process.kill()
                await sandbox.process.wait()


async def _start_sandbox(kept: Kept, data: Path, callback: str) -> Sandbox:
    folder = data / "sandbox"
    folder.mkdir(exist_ok=True)
    ready = folder / "ready.json"
    seed = demo_seed(
        seed=kept.seed, name=SERVICE, callback=Callback(url=callback, bearer_token=kept.receipt_token)
    )
    config = folder / "seed.json"
    _write(config, msgspec.json.encode(seed))
    for port in dict.fromkeys((kept.sandbox_port, 0)):
        ready.unlink(missing_ok=True)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "notify_sandbox", "serve", "--exit-with-parent"),
            *("--port", str(port), "--data", str(folder), "--config", str(config), "--ready", str(ready)),
            stdin=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        described = await _described(process, ready)
        if described is not None:
            kept.sandbox_port = int(described["url"].rsplit(":", 1)[1])
            _keep(data, kept)
            (service,) = described["services"].values()
            return Sandbox(
                process=process,
                url=described["url"],
                api_key=service["apiKeys"]["live"],
                templates={alias: service["templates"][alias] for alias in ("email", "text", "letter")},
            )
    raise BadSettings("the sandbox did not start; what it said stands above")


async def _described(process: asyncio.subprocess.Process, ready: Path) -> dict[str, Any] | None:
    """What the sandbox says of itself once it answers; None where it ended instead."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SANDBOX_START_SECONDS):
            while process.returncode is None:
                described = _read(ready)
                if described is not None:
                    return described
                await asyncio.sleep(0.02)
    return None


def _read(ready: Path) -> dict[str, Any] | None:
    if not ready.exists():
        return None
    described: dict[str, Any] = msgspec.json.decode(ready.read_bytes())
    return described


async def _keep_sandbox(sandbox: Sandbox, kept: Kept, data: Path, url: str, stop: asyncio.Event) -> None:
    """Start the sandbox again where it died: it is only the demo's, and what it recorded is on the disk."""
    process = sandbox.process
    try:
        while True:
            await process.wait()
            if stop.is_set():
                return
            log.warning("the sandbox ended and is started again", code=process.returncode)
            await asyncio.sleep(_RESTART_SECONDS)
            process = (await _start_sandbox(kept, data, f"{url}/receipts/govuk-notify")).process
    finally:
        if process is not sandbox.process and process.returncode is None:
            process.terminate()


def _of_this_demo(settings: Settings, sandbox: Sandbox, url: str) -> Settings:
    """With the sandbox as Notify, and links that lead back here where no other address was chosen."""
    links = settings.links
    if not links.public_url:
        links = replace(links, public_url=f"{url}{settings.api_prefix}")
    return replace(settings, notify_base_url=sandbox.url, links=links)


async def _furnish(app: App, kept: Kept, sandbox: Sandbox, url: str) -> dict[str, Any]:
    """The demo's service and officer, as they are or made now; the ready file's content."""
    registration = Registration(
        name=SERVICE,
        notify_key=sandbox.api_key,
        notify_base_url=sandbox.url,
        default_group=GROUP,
        template_names=sandbox.templates,
        # As the sandbox's own: what somebody tries or measures here is never held back by a limit.
        limits=FAR_ABOVE,
        link_hosts=("*.hackney.gov.uk",),
    )
    now = app.clock()
    try:
        async with app.database.transaction() as conn:
            key = await register_again(
                conn,
                registration,
                vault=app.vault,
                receipt_token=kept.receipt_token,
                now=now,
                by=By("the demo", now, app.vault),
            )
    except CannotOpen:
        raise BadSettings("this database belongs to a demo with another --data folder") from None
    token = issue_officer_token(
        secret=app.settings.officer_token_secret,
        email=OFFICER,
        groups=[GROUP],
        issued_at=int(now.timestamp()),
        valid_for_seconds=int(_TOKEN_LASTS.total_seconds()),
    )
    return {
        "url": url,
        "service": SERVICE,
        "apiKey": key.key,
        "officer": OFFICER,
        "officerToken": token,
        "databaseUrl": app.settings.database_url,
        "templates": sandbox.templates,
        "sandbox": {"url": sandbox.url, "apiKey": sandbox.api_key},
        "pids": {"api": os.getpid(), "worker": os.getpid(), "sandbox": sandbox.process.pid},
    }


def _write(path: Path, content: bytes) -> None:
    """Write a file at once and for its owner alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    Path(name).replace(path)
