"""GOV.UK Notify's public API, version 2."""

import uuid
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import Any
from urllib.parse import parse_qs, urlencode

from litestar import HttpMethod, Request, Response, get, route
from litestar.handlers import HTTPRouteHandler

from notify_sandbox import content, markdown, schema, shapes
from notify_sandbox.accept import Acceptance
from notify_sandbox.authentication import Authentication, Caller
from notify_sandbox.doors import answers
from notify_sandbox.letters import Letters
from notify_sandbox.model import Channel, Notification, Template
from notify_sandbox.problems import NotifyError, bad_request, invalid, not_found, problem
from notify_sandbox.world import World

Answer = Response[bytes]
Plain = Request[Any, Any, Any]
Action = Callable[[Plain, Caller], Awaitable[Answer]]
_MEANT_BY: dict[str, frozenset[str]] = {
    "accepted": frozenset({"created", "sending"}),
    "received": frozenset({"delivered"}),
    "failed": frozenset(
        {
            "technical-failure",
            "temporary-failure",
            "permanent-failure",
            "validation-failed",
            "virus-scan-failed",
            "returned-letter",
        }
    ),
}


class PublicApi:
    def __init__(
        self,
        world: World,
        *,
        authentication: Authentication,
        acceptance: Acceptance,
        letters: Letters,
        page_size: int,
    ) -> None:
        self._world = world
        self._authentication = authentication
        self._acceptance = acceptance
        self._letters = letters
        self._page_size = page_size

    def handlers(self) -> list[HTTPRouteHandler]:
        """Each answers for itself: what GOV.UK Notify checks, it checks in its own order."""
        one, preview = "/v2/notifications/{word:str}", "/v2/template/{word:str}/preview"
        return [
            get("/_status")(_status),
            self._door("/v2/notifications", self._list),
            self._door(f"{one}/pdf", self._pdf),
            self._door("/v2/received-text-messages", self._received_texts),
            self._door("/v2/templates", self._templates),
            self._door("/v2/template/{word:str}", self._template),
            self._door("/v2/template/{word:str}/version/{version:int}", self._template_version),
            self._door(preview, self._preview, HttpMethod.POST),
            # To Notify the word is an id or a channel.
            self._door(one, self._post_or_one, HttpMethod.GET, HttpMethod.POST),
        ]

    def _door(self, path: str, action: Action, *methods: HttpMethod) -> HTTPRouteHandler:
        async def answer(request: Plain) -> Answer:
            try:
                caller = self._authentication.caller(request.headers.get("authorization"))
                return await action(request, caller)
            except NotifyError as refused:
                return answers.refusal(refused)

        return route(path, http_method=methods or [HttpMethod.GET])(answer)

    async def _post_or_one(self, request: Plain, caller: Caller) -> Answer:
        return await (self._post if request.method == "POST" else self._one)(request, caller)

    async def _post(self, request: Plain, caller: Caller) -> Answer:
        kind, body = _word(request), await request.body()
        accepted = await self._acceptance.post(kind, body, caller=caller, base_url=_base(request))
        return answers.json(accepted, status=201)

    async def _one(self, request: Plain, caller: Caller) -> Answer:
        return answers.json(self._shown(self._find(caller, _word(request)), request))

    async def _list(self, request: Plain, caller: Caller) -> Answer:
        query = _query(request)
        for single in ("reference", "older_than"):
            if single in query:
                query[single] = query[single][0]
        form = schema.LIST.check(query)
        found = self._matching(caller, form)
        page = [self._shown(one, request) for one in islice(found, self._page_size)]
        here = f"{_base(request)}/v2/notifications"
        links = {"current": _with_query(here, form)}
        if page:
            links["next"] = _with_query(here, {**form, "older_than": page[-1]["id"]})
        return answers.json({"notifications": page, "links": links})

    def _matching(self, caller: Caller, form: dict[str, Any]) -> "filter[Notification]":
        statuses = frozenset[str]().union(
            *(_MEANT_BY.get(name, frozenset({name})) for name in form.get("status", ()))
        )
        channels, key_type, now = form.get("template_type"), caller.key.key_type, self._world.now()
        before = form.get("older_than")

        def fits(one: Notification) -> bool:
            return (
                one.key_type is key_type
                and (not channels or one.channel in channels)
                and (not statuses or one.status(now) in statuses)
            )

        return filter(
            fits,
            self._world.newest_first(
                caller.service.id,
                reference=form.get("reference"),
                before=str(uuid.UUID(before)) if before else None,
            ),
        )

    async def _pdf(self, request: Plain, caller: Caller) -> Answer:
        sent = self._find(caller, _word(request))
        if sent.channel is not Channel.LETTER:
            raise bad_request("Notification is not a letter")
        now = self._world.now()
        match sent.status(now):
            case "virus-scan-failed":
                raise bad_request("File did not pass the virus scan")
            case "technical-failure":
                raise bad_request("PDF not available for letters in technical-failure")
            case "pending-virus-check":
                raise _pdf_not_ready()
        if not sent.precompiled and now < sent.created_at + self._world.timing.letter_pdf:
            raise _pdf_not_ready()
        made = await self._letters.pdf(sent)
        if made is None:
            raise _pdf_not_ready()
        return Response(made, media_type="application/pdf")

    async def _received_texts(self, request: Plain, caller: Caller) -> Answer:
        query = {name: values[0] for name, values in _query(request).items()}
        form = schema.RECEIVED_TEXTS.check(query)
        newest_first = [one for one in self._world.received_texts if one.service_id == caller.service.id][
            ::-1
        ]
        before = form.get("older_than")
        if before is not None:
            ids = [one.id for one in newest_first]
            known = str(uuid.UUID(before))
            newest_first = newest_first[ids.index(known) + 1 :] if known in ids else []
        page = [shapes.received_text(one) for one in newest_first[: self._page_size]]
        here = f"{_base(request)}/v2/received-text-messages"
        links = {"current": _with_query(here, form)}
        if page:
            links["next"] = _with_query(here, {"older_than": page[-1]["id"]})
        return answers.json({"received_text_messages": page, "links": links})

    async def _templates(self, request: Plain, caller: Caller) -> Answer:
        query = {name: values[0] for name, values in _query(request).items()}
        wanted = schema.TEMPLATES.check(query).get("type")
        found = [
            shapes.template(one, one.current)
            for one in self._world.templates_of(caller.service.id)
            if not one.archived and wanted in (None, one.channel)
        ]
        return answers.json({"templates": found})

    async def _template(self, request: Plain, caller: Caller) -> Answer:
        found = self._find_template(caller, _word(request))
        return answers.json(shapes.template(found, found.current))

    async def _template_version(self, request: Plain, caller: Caller) -> Answer:
        template_id, version = _word(request), request.path_params["version"]
        faults = [] if schema.is_uuid(template_id) else ["id is not a valid UUID"]
        faults += [f"version {fault}" for fault in schema.at_least_one(version)]
        if faults:
            raise invalid(*faults)
        found = self._find_template(caller, template_id)
        wanted = found.at(version)
        if wanted is None:
            raise not_found()
        return answers.json(shapes.template(found, wanted))

    async def _preview(self, request: Plain, caller: Caller) -> Answer:
        body = schema.read_json(await request.body())
        if not schema.is_uuid(_word(request)):
            raise invalid("id is not a valid UUID")
        values = schema.PREVIEW.check(body).get("personalisation")
        found = self._find_template(caller, _word(request))
        content.check_nothing_missing(found.current, values)
        filled = content.fill(found.current, values, channel=found.channel)
        html = markdown.email_html(filled.body) if found.channel is Channel.EMAIL else None
        return answers.json(shapes.preview(found, filled, html=html))

    def _find(self, caller: Caller, notification_id: str) -> Notification:
        if not schema.is_uuid(notification_id):
            raise invalid("notification_id is not a valid UUID")
        found = self._world.find(caller.service.id, str(uuid.UUID(notification_id)))
        if found is None:
            raise not_found()
        return found

    def _find_template(self, caller: Caller, template_id: str) -> Template:
        if not schema.is_uuid(template_id):
            raise invalid("id is not a valid UUID")
        found = self._world.service_template(caller.service.id, str(uuid.UUID(template_id)))
        if found is None:
            raise not_found()
        return found

    def _shown(self, sent: Notification, request: Plain) -> dict[str, Any]:
        version = self._world.templates[sent.template_id].at(sent.template_version)
        assert version is not None
        return shapes.notification(sent, version, base_url=_base(request), now=self._world.now())


_BUILD = {
    "build_time": "2026-08-20:14:50:45",
    "db_bulk_version": "sandbox",
    "db_version": "sandbox",
    "git_commit": "sandbox",
}


async def _status(request: Plain) -> Answer:
    return answers.json({"status": "ok", **_BUILD})


def _word(request: Plain) -> str:
    return str(request.path_params["word"])


def _base(request: Plain) -> str:
    host = request.headers.get("host", "127.0.0.1")
    return f"{request.scope['scheme']}://{host}"


def _query(request: Plain) -> dict[str, Any]:
    return parse_qs(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)


def _with_query(url: str, form: dict[str, Any]) -> str:
    return f"{url}?{urlencode(form, doseq=True)}" if form else url


def _pdf_not_ready() -> NotifyError:
    return problem(400, "PDFNotReadyError", "PDF not available yet, try again later")
