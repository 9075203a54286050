"""A sandbox for tests, in the test's own event loop: no patches, a real server on a free port."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from notify_sandbox.controls import Edit, Sent
from notify_sandbox.demo import HIGH_LIMITS, demo_seed
from notify_sandbox.faults import ApiFault, Fault, ReceiptFault, ReceiptFaultRule
from notify_sandbox.model import Callback, KeyType, Limits, Service
from notify_sandbox.seed import Seed
from notify_sandbox.server import RunningServer, running
from notify_sandbox.settings import SandboxSettings, Timing


class SandboxUnderTest:
    """What a test holds: where the sandbox is, its keys and templates, and the levers."""

    def __init__(self, server: RunningServer) -> None:
        self._server = server
        self._sandbox = server.sandbox
        self.url = server.url
        self.controls = server.sandbox.controls

    # What it is

    @property
    def service(self) -> Service:
        """The first service, which is the only one unless the seed says otherwise."""
        return next(iter(self._sandbox.world.services.values()))

    @property
    def service_id(self) -> str:
        return self.service.id

    @property
    def api_keys(self) -> dict[str, str]:
        """By type: live, team, test."""
        described: dict[str, str] = self._sandbox.described()[self.service.name]["apiKeys"]
        return described

    @property
    def api_key(self) -> str:
        return self.api_keys["live"]

    @property
    def templates(self) -> dict[str, str]:
        """Ids by alias: email, email_file, email_plain, text, letter."""
        described: dict[str, str] = self._sandbox.described()[self.service.name]["templates"]
        return described

    def described(self) -> dict[str, Any]:
        return self._sandbox.described()

    # What was sent

    def sent(self, *, to: str | None = None, reference: str | None = None) -> list[Sent]:
        """What was accepted, oldest first."""
        return list(self.controls.sent(to=to, reference=reference))

    def receipts(self, notification_id: str) -> list[str]:
        """The answers that a message's receipts got so far."""
        one = self._sandbox.world.notifications[notification_id]
        return [answer for receipt in one.receipts for answer in receipt.answers]

    def receipt_ends(self, notification_id: str) -> list[str | None]:
        """How each receipt ended: the last answer, `lost` or `given up`; None while it is under way."""
        return [receipt.finished for receipt in self.controls.message(notification_id).receipts]

    def forget(self) -> None:
        """Drops every message; services, keys and templates stay."""
        self._sandbox.world.forget_messages()

    # Levers

    def fail(
        self,
        kind: Fault | str,
        *,
        times: int | None = None,
        seconds: float = 1.0,
        share: float = 1.0,
        path: str = "/v2/",
        method: str | None = None,
    ) -> None:
        """Requests meet this fault: so many of them, or all until `heal`."""
        fault = ApiFault(
            kind=Fault(kind), times=times, seconds=seconds, share=share, path=path, method=method
        )
        self._sandbox.faults.api.append(fault)

    def fail_receipts(
        self, kind: ReceiptFault | str, *, times: int | None = None, seconds: float = 1.0, share: float = 1.0
    ) -> None:
        rule = ReceiptFaultRule(kind=ReceiptFault(kind), times=times, seconds=seconds, share=share)
        self._sandbox.faults.receipts.append(rule)

    def heal(self) -> None:
        """Ends every fault."""
        self._sandbox.faults.clear()

    def refuse_connections(self, *, seconds: float) -> None:
        """Nobody listens for so long: connections are refused, and open ones cut."""
        self.controls.refuse_connections(seconds)

    @property
    def listening(self) -> bool:
        return self._server.listening

    def edit_template(self, template_id: str, **changes: str) -> None:
        """Makes a new version: name, subject, body, postage."""
        self.controls.edit_template(self.controls.template(template_id), Edit(**changes))

    def end_as(self, recipient: str, status: str) -> None:
        """Later messages to this address or number (+447…) end so."""
        self.controls.end_as(recipient, status)

    def settle(self, notification_id: str, status: str) -> None:
        """Ends one message now, and has its receipt sent."""
        self.controls.settle(notification_id, status)

    def send_receipt_again(self, notification_id: str) -> None:
        self.controls.send_receipt_again(notification_id)

    def call_back(self, url: str, *, bearer_token: str) -> None:
        """Where receipts go from now on."""
        self.controls.call_back(self.service, Callback(url=url, bearer_token=bearer_token))

    def mint_key(self, key_type: KeyType | str = KeyType.LIVE, *, name: str = "sandbox-extra") -> str:
        return self.controls.mint_key(self.service, name=name, key_type=KeyType(key_type))

    def revoke(self, key_type: KeyType | str) -> None:
        """All keys of a type."""
        for key in self.service.keys:
            if key.key_type is KeyType(key_type):
                self.controls.revoke(self.service, key)

    def limit(self, limits: Limits) -> None:
        self.controls.limit(self.service, limits)

    def now(self) -> float:
        """The time on the sandbox's clock."""
        return self.controls.world.now()

    def advance(self, seconds: float) -> None:
        """Moves the sandbox's clock on: courses, retries, days and retention go with it."""
        self.controls.advance(seconds)


@contextlib.asynccontextmanager
async def running_sandbox(
    *,
    seed: Seed | None = None,
    callback_url: str | None = None,
    callback_token: str = "sandbox-token",  # noqa: S107
    data: Path | None = None,
    port: int = 0,
    speed: float = 1.0,
    timing: Timing | None = None,
    limits: Limits = HIGH_LIMITS,
) -> AsyncIterator[SandboxUnderTest]:
    """The demo's service on a free port, or what `seed` describes."""
    callback = Callback(url=callback_url, bearer_token=callback_token) if callback_url else None
    settings = SandboxSettings(
        port=port,
        data=data,
        speed=speed,
        timing=timing or Timing(),
        seed=seed or demo_seed(callback=callback, limits=limits),
    )
    async with running(settings) as server:
        yield SandboxUnderTest(server)
