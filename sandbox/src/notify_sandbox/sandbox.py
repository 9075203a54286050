"""One sandbox, put together: the only place that knows all its parts."""

import asyncio
from pathlib import Path
from typing import Any

from litestar import Litestar, Request, Response
from litestar.config.app import AppConfig
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp

from notify_sandbox.accept import Acceptance
from notify_sandbox.authentication import Authentication
from notify_sandbox.controls import Controls
from notify_sandbox.demo import demo_seed
from notify_sandbox.doors import answers, documents
from notify_sandbox.doors.admin import AdminApi
from notify_sandbox.doors.fault_gate import FaultGate
from notify_sandbox.doors.host_gate import HostGate
from notify_sandbox.doors.public import PublicApi
from notify_sandbox.faults import Faults
from notify_sandbox.keys import written_out
from notify_sandbox.letters import Letters
from notify_sandbox.limits import SendLimits
from notify_sandbox.model import Service
from notify_sandbox.pages.developer import Developer
from notify_sandbox.pages.live import Live
from notify_sandbox.pages.mailbox import Mailbox
from notify_sandbox.pages.shell import Shell, static_files
from notify_sandbox.problems import internal
from notify_sandbox.receipts import Receipts
from notify_sandbox.record import MemoryRecord, SqliteRecord
from notify_sandbox.seed import Seed, read_seed
from notify_sandbox.settings import SandboxSettings
from notify_sandbox.world import World

_URL_UNKNOWN = (
    "The requested URL was not found on the server. If you entered the URL manually please check your "
    "spelling and try again."
)
_METHOD_UNKNOWN = "The method is not allowed for the requested URL."
CLEAN_EVERY = 600.0


class Sandbox:
    def __init__(self, settings: SandboxSettings) -> None:
        self.settings = settings
        seed = _seed_of(settings)
        timing = (seed.timing or settings.timing).at_speed(settings.speed)
        record = SqliteRecord(settings.data) if settings.data else MemoryRecord()
        self.world = World(record=record, timing=timing)
        self.world.restore()
        self.seed = seed
        self.faults = Faults()
        self.limits = SendLimits()
        self.letters = Letters(self.world)
        self.receipts = Receipts(self.world, faults=self.faults)
        self.acceptance = Acceptance(self.world, limits=self.limits, letters=self.letters)
        self.controls = Controls(
            self.world, acceptance=self.acceptance, receipts=self.receipts, faults=self.faults
        )
        self.live = Live(self.world)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Takes in the seed and sets the clockwork going."""
        self.world.sow(self.seed)
        await self.world.keep_safely()
        self._tasks = [
            asyncio.create_task(self.receipts.run()),
            asyncio.create_task(self._forget_expired()),
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.letters.close()
        await self.world.record.close()

    def app(self) -> ASGIApp:
        public = PublicApi(
            self.world,
            authentication=Authentication(self.world),
            acceptance=self.acceptance,
            letters=self.letters,
            page_size=self.settings.page_size,
        )
        inside = Litestar(
            route_handlers=[
                *public.handlers(),
                *documents.handlers(self.world),
                *AdminApi(self.controls, described=self.described).handlers(),
                *self._pages(),
            ],
            exception_handlers={
                NotFoundException: _unknown_url,
                MethodNotAllowedException: _unknown_method,
                Exception: _fallen_over,
            },
            openapi_config=None,
            logging_config=None,
            request_max_body_size=self.settings.max_body_bytes,
            on_app_init=[_without_debug],
        )
        gated = inside if self.settings.allow_remote else HostGate(inside)
        return FaultGate(gated, self.faults)

    def _pages(self) -> list[HTTPRouteHandler]:
        shell = Shell()
        return [
            *Mailbox(shell, self.controls, self.letters).handlers(),
            *Developer(shell, self.controls).handlers(),
            *self.live.handlers(),
            static_files(),
        ]

    def described(self) -> dict[str, Any]:
        """What a program needs to know to send through this sandbox."""
        return {
            service.name: {
                "serviceId": service.id,
                "apiKeys": _keys_by_type(service),
                "templates": self._templates_by_alias(service),
                "replyTo": service.reply_to,
                "senders": service.senders,
                "callback": None if service.callback is None else service.callback.url,
            }
            for service in self.world.services.values()
        }

    def _templates_by_alias(self, service: Service) -> dict[str, str]:
        return {
            template.alias or template.current.name: template.id
            for template in self.world.templates_of(service.id)
        }

    async def _forget_expired(self) -> None:
        while True:
            await asyncio.sleep(CLEAN_EVERY)
            self.world.forget_expired()


def _seed_of(settings: SandboxSettings) -> Seed:
    if isinstance(settings.seed, Seed):
        return settings.seed
    if settings.config is not None:
        return read_seed(Path(settings.config))
    return demo_seed()


def _keys_by_type(service: Service) -> dict[str, str]:
    """The newest valid key of each type."""
    return {
        key.key_type.value: written_out(name=key.name, service_id=service.id, secret=key.secret)
        for key in service.keys
        if key.revoked_at is None
    }


def _unknown_url(_: Request[Any, Any, Any], __: HTTPException) -> Response[bytes]:
    return answers.json({"result": "error", "message": _URL_UNKNOWN}, status=404)


def _unknown_method(_: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """JSON that calls itself HTML: so Notify answers."""
    body = answers.json({"result": "error", "message": _METHOD_UNKNOWN}, status=405).content
    allowed = (error.headers or {}).get("Allow", "")
    return Response(body, status_code=405, media_type="text/html", headers={"Allow": allowed})


def _fallen_over(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """A fault of our own, in Notify's shape; its text stays here, for it may hold what was sent."""
    if isinstance(error, HTTPException):
        return answers.json({"result": "error", "message": error.detail}, status=error.status_code)
    return answers.refusal(internal(type(error).__name__))


def _without_debug(config: AppConfig) -> AppConfig:
    config.debug = False
    return config
