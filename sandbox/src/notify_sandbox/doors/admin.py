"""The sandbox's own small API, for tests and tools: services, keys, templates, failure modes, what was sent.

It takes JSON alone, told by its media type: a page elsewhere cannot send that without being asked first.
"""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from litestar import HttpMethod, Request, Response, get, route
from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

from notify_sandbox import shapes
from notify_sandbox.controls import Controls, Edit, UnknownError
from notify_sandbox.doors import answers
from notify_sandbox.faults import ApiFault, ReceiptFaultRule
from notify_sandbox.keys import UnmarkedKeyError
from notify_sandbox.model import Callback, KeyType, Limits
from notify_sandbox.seed import SeedService, SeedTemplate

Answer = Response[bytes]
Plain = Request[Any, Any, Any]
T = TypeVar("T")
GET, POST, PUT, DELETE = HttpMethod.GET, HttpMethod.POST, HttpMethod.PUT, HttpMethod.DELETE


class NewKey(Struct, forbid_unknown_fields=True):
    name: str = "sandbox-extra"
    type: KeyType = KeyType.LIVE


class NewStatus(Struct, forbid_unknown_fields=True):
    status: str


class NewOutcome(Struct, forbid_unknown_fields=True):
    recipient: str
    status: str


class NewReceivedText(Struct, rename="camel", forbid_unknown_fields=True):
    service_id: str
    sender: str
    content: str


class Absence(Struct, forbid_unknown_fields=True):
    seconds: float


class ClockMove(Struct, rename="camel", forbid_unknown_fields=True):
    advance_seconds: float


class AdminApi:
    def __init__(self, controls: Controls, *, described: Callable[[], dict[str, Any]]) -> None:
        self._controls = controls
        self._described = described

    def handlers(self) -> list[HTTPRouteHandler]:
        one_service, one_template = "/sandbox/services/{id:str}", "/sandbox/templates/{id:str}"
        return [
            _door("/sandbox/services", self._services, GET, POST),
            _door(f"{one_service}/keys", self._keys, POST),
            _door(f"{one_service}/keys/{{key:str}}", self._revoke, DELETE),
            _door(f"{one_service}/callback", self._callback, PUT, DELETE),
            _door(f"{one_service}/limits", self._limits, PUT),
            _door(f"{one_service}/templates", self._templates, POST),
            _door(one_template, self._template, GET, PUT, DELETE),
            _door("/sandbox/faults", self._faults, GET, POST, DELETE),
            _door("/sandbox/receipt-faults", self._receipt_faults, POST),
            _door("/sandbox/absence", self._absence, POST),
            _door("/sandbox/outcomes", self._outcomes, POST),
            _door("/sandbox/sent", self._sent, GET, DELETE),
            _door("/sandbox/sent/{id:str}/status", self._status, POST),
            _door("/sandbox/sent/{id:str}/receipt", self._receipt, POST),
            _door("/sandbox/received-texts", self._received_texts, POST),
            _door("/sandbox/clock", self._clock, POST),
            get("/sandbox/health")(_health),
        ]

    async def _services(self, request: Plain) -> object:
        if request.method == "POST":
            self._controls.add_service(await _read(request, SeedService))
        return {"services": self._described()}

    async def _keys(self, request: Plain) -> object:
        wanted = await _read(request, NewKey)
        service = self._controls.service(_id(request))
        return {"key": self._controls.mint_key(service, name=wanted.name, key_type=wanted.type)}

    async def _revoke(self, request: Plain) -> object:
        """By id, or the name of the key."""
        service = self._controls.service(_id(request))
        wanted = request.path_params["key"]
        for key in service.keys:
            if wanted in (key.id, key.name):
                self._controls.revoke(service, key)
                return {"revoked": key.id}
        raise UnknownError(wanted)

    async def _callback(self, request: Plain) -> object:
        callback = await _read(request, Callback) if request.method == "PUT" else None
        self._controls.call_back(self._controls.service(_id(request)), callback)
        return {"callback": callback.url if callback else None}

    async def _limits(self, request: Plain) -> object:
        limits = await _read(request, Limits)
        self._controls.limit(self._controls.service(_id(request)), limits)
        return limits

    async def _templates(self, request: Plain) -> object:
        service = self._controls.service(_id(request))
        template = self._controls.add_template(service, await _read(request, SeedTemplate))
        return shapes.template(template, template.current)

    async def _template(self, request: Plain) -> object:
        """GET shows it with its versions, PUT makes a new version, DELETE archives."""
        template = self._controls.template(_id(request))
        if request.method == "PUT":
            self._controls.edit_template(template, await _read(request, Edit))
        elif request.method == "DELETE":
            self._controls.archive_template(template)
        shown = shapes.template(template, template.current)
        return {**shown, "archived": template.archived, "versions": template.versions}

    async def _faults(self, request: Plain) -> object:
        faults = self._controls.faults
        if request.method == "POST":
            faults.api.append(await _read(request, ApiFault))
        elif request.method == "DELETE":
            faults.clear()
        return faults

    async def _receipt_faults(self, request: Plain) -> object:
        self._controls.faults.receipts.append(await _read(request, ReceiptFaultRule))
        return self._controls.faults

    async def _absence(self, request: Plain) -> object:
        """Stops listening, this answer given."""
        wanted = await _read(request, Absence)
        loop = asyncio.get_running_loop()
        loop.call_later(0.05, self._controls.refuse_connections, wanted.seconds)
        return wanted

    async def _outcomes(self, request: Plain) -> object:
        wanted = await _read(request, NewOutcome)
        self._controls.end_as(wanted.recipient, wanted.status)
        return wanted

    async def _sent(self, request: Plain) -> object:
        if request.method == "DELETE":
            self._controls.world.forget_messages()
        query = request.query_params
        found = self._controls.sent(to=query.get("to"), reference=query.get("reference"))
        return {"sent": list(found)}

    async def _status(self, request: Plain) -> object:
        wanted = await _read(request, NewStatus)
        self._controls.settle(_id(request), wanted.status)
        return self._controls.as_sent(self._controls.message(_id(request)))

    async def _receipt(self, request: Plain) -> object:
        _check_media_type(request)
        self._controls.send_receipt_again(_id(request))
        return {"sent": _id(request)}

    async def _received_texts(self, request: Plain) -> object:
        text = await _read(request, NewReceivedText)
        service = self._controls.service(text.service_id)
        received = self._controls.receive_text(service, sender=text.sender, text=text.content)
        return shapes.received_text(received)

    async def _clock(self, request: Plain) -> object:
        self._controls.advance((await _read(request, ClockMove)).advance_seconds)
        return {"now": shapes.moment(self._controls.world.now())}


class _RefusedError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def _door(path: str, action: Callable[[Plain], Any], *methods: HttpMethod) -> HTTPRouteHandler:
    async def answer(request: Plain) -> Answer:
        try:
            return answers.json(await action(request))
        except UnknownError as error:
            return answers.json({"message": f"Nothing has the id {error.args[0]}"}, status=404)
        except _RefusedError as error:
            return answers.json({"message": str(error)}, status=error.status)
        except (msgspec.MsgspecError, UnmarkedKeyError) as error:
            return answers.json({"message": str(error)}, status=400)

    return route(path, http_method=methods, status_code=200)(answer)


async def _read(request: Plain, kind: type[T]) -> T:
    _check_media_type(request)
    return msgspec.json.decode(await request.body(), type=kind)


def _check_media_type(request: Plain) -> None:
    if request.headers.get("content-type", "").partition(";")[0].strip() != answers.JSON:
        raise _RefusedError(415, "Send JSON, with the media type application/json")


def _id(request: Plain) -> str:
    return str(request.path_params["id"])


async def _health(request: Plain) -> Answer:
    return answers.json({"status": "ok"})
