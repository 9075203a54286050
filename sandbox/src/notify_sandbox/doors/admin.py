"""The sandbox's own small API, for tests and tools: services, keys, failure modes, and what was sent."""

from typing import TYPE_CHECKING, Any

import msgspec
from litestar import HttpMethod, Request, Response, get, route
from litestar.handlers import HTTPRouteHandler

from notify_sandbox.doors import answers
from notify_sandbox.faults import ApiFault

if TYPE_CHECKING:
    from notify_sandbox.sandbox import Sandbox

Answer = Response[bytes]
Plain = Request[Any, Any, Any]


class AdminApi:
    def __init__(self, sandbox: "Sandbox") -> None:
        self._sandbox = sandbox

    def handlers(self) -> list[HTTPRouteHandler]:
        @get("/sandbox/services")
        async def services(request: Plain) -> Answer:
            return answers.json({"services": self._sandbox.described()})

        @route("/sandbox/faults", http_method=[HttpMethod.GET, HttpMethod.POST, HttpMethod.DELETE])
        async def faults(request: Plain) -> Answer:
            return await self._faults(request)

        return [services, faults]

    async def _faults(self, request: Plain) -> Answer:
        faults = self._sandbox.faults
        if request.method == "DELETE":
            faults.clear()
        elif request.method == "POST":
            faults.api.append(msgspec.json.decode(await request.body(), type=ApiFault))
        return answers.json({"api": faults.api, "receipts": faults.receipts})
