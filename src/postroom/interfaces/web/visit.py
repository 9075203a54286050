"""One request for a page: who asks, what they sent, and how it is answered."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

import msgspec
from litestar import HttpMethod, Response, get, route
from litestar.datastructures import Cookie
from litestar.handlers import HTTPRouteHandler

from postroom.app import App
from postroom.domain.caller import Person
from postroom.domain.errors import FieldError, Forbidden, Unauthenticated
from postroom.domain.role import SEES_EVERYTHING, Role
from postroom.features import audit
from postroom.features.notifications.find import Count, Filters, count_found
from postroom.interfaces.edge import caller_ip_of, correlation_id_of
from postroom.interfaces.web.paths import SIGN_IN, leads_back, with_query
from postroom.interfaces.web.session import Sessions, Visitor
from postroom.interfaces.web.shell import HEADERS, Answer, AnyRequest, Shell

LARGEST_FORM = 256 * 1024
DEVELOPERS = frozenset({Role.DEVELOPER, Role.ADMIN})
MANAGERS = frozenset({Role.MANAGER, Role.ADMIN, Role.AUDITOR})
READERS = SEES_EVERYTHING
ADMINS = frozenset({Role.ADMIN})


@dataclass(frozen=True, slots=True)
class Door:
    """What every visit works with."""

    app: App
    shell: Shell
    sessions: Sessions


@dataclass(slots=True)
class Visit:
    """`fields` are those of a form that was sent, each as it came last."""

    door: Door
    request: AnyRequest
    visitor: Visitor
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def app(self) -> App:
        return self.door.app

    @property
    def person(self) -> Person:
        """Who is signed in; Unauthenticated where nobody is."""
        if self.visitor.person is None:
            raise Unauthenticated("Sign in first.")
        return self.visitor.person

    @property
    def correlation_id(self) -> str | None:
        return correlation_id_of(self.request.scope)

    @property
    def ip(self) -> str | None:
        """Where they are."""
        behind_gateway = self.app.settings.trust.behind_gateway
        return caller_ip_of(self.request.scope, behind_gateway=behind_gateway)

    @property
    def signed(self) -> audit.By:
        """The person as the audit knows who changes something of a service."""
        return audit.By(
            actor=self.person.display_name,
            at=self.app.clock(),
            vault=self.app.vault,
            ip=self.ip,
            correlation_id=self.correlation_id,
        )

    def asked(self, name: str) -> str:
        """A value of the address, empty where it is not there."""
        return str(self.request.query_params.get(name, "")).strip()

    def is_any(self, roles: frozenset[Role]) -> bool:
        person = self.visitor.person
        return person is not None and not roles.isdisjoint(person.roles)

    def tell(self) -> None:
        """Something was changed: screens and services are told of it at once."""
        self.app.live.ring()
        self.app.dispatcher.ring()

    def need(self, roles: frozenset[Role]) -> None:
        if not self.is_any(roles):
            names = " or ".join(sorted(roles))
            raise Forbidden(f"This page is for people with the role {names}.")

    async def page(
        self,
        template: str,
        /,
        *,
        title: str,
        status: int = 200,
        errors: tuple[FieldError, ...] = (),
        **given: Any,
    ) -> Answer:
        """A page in the shell. `errors` stand in a summary, and beside their fields."""
        answer = self.door.shell.page(
            template,
            status=status,
            title=title,
            person=self.visitor.person,
            by_sso=self.visitor.by_sso,
            is_reader=self.is_any(READERS),
            is_manager=self.is_any(MANAGERS),
            here=self.request.url.path,
            numbers=await self._numbers(),
            form_token=self.door.sessions.form_token(self.visitor),
            errors=errors,
            faults={each.field: each.message for each in errors},
            **given,
        )
        return self._known(answer)

    def go(self, path: str, *, cookies: list[Cookie] | None = None, **query: str | None) -> Answer:
        """On to another page of ours."""
        where = self.door.shell.prefix + with_query(path, **query)
        headers = {**HEADERS, "Location": where}
        answer = Response(b"", status_code=303, media_type="text/plain", headers=headers)
        for cookie in cookies or ():
            answer.set_cookie(cookie)
        return answer if cookies else self._known(answer)

    def script(self, told: Any) -> Answer:
        """What a script of ours asked for."""
        return Response(msgspec.json.encode(told), media_type="application/json", headers=HEADERS)

    def leave(self, url: str) -> Answer:
        """On to a page of somebody else's, which is not told where from."""
        headers = {**HEADERS, "Location": url, "Referrer-Policy": "no-referrer"}
        return Response(b"", status_code=303, media_type="text/plain", headers=headers)

    def go_to_sign_in(self) -> Answer:
        is_get = self.request.method == "GET"
        here = self.request.url.path
        asked = urlencode([(name, str(value)) for name, value in self.request.query_params.multi_items()])
        wanted = f"{here}?{asked}" if asked else here
        return self.go(SIGN_IN, next=leads_back(wanted) if is_get else None)

    def _known(self, answer: Answer) -> Answer:
        """Every form is bound to the browser that it was shown in."""
        if self.visitor.is_new:
            answer.set_cookie(self.door.sessions.browser_cookie(self.visitor))
        return answer

    async def _numbers(self) -> Count | None:
        """How many notifications are on the person's list, and how many of them unread or to be decided."""
        person = self.visitor.person
        if person is None:
            return None
        async with self.app.database.reading() as conn:
            return await count_found(
                conn, Filters(), caller=person, vault=self.app.vault, now=self.app.clock()
            )


Action = Callable[[Visit], Awaitable[Answer]]
Guard = Callable[[Visit, Exception], Awaitable[Answer]]


def view(
    door: Door, path: str, action: Action, *, on_error: Guard, open_to_all: bool = False
) -> HTTPRouteHandler:
    """A page. Who is not signed in is asked to, and comes back."""

    async def answer(request: AnyRequest) -> Answer:
        visit = Visit(door, request, await door.sessions.visitor(request))
        try:
            if not open_to_all and visit.visitor.person is None:
                return visit.go_to_sign_in()
            return await action(visit)
        except Exception as error:
            return await on_error(visit, error)

    return get(path)(answer)


def form(
    door: Door, path: str, action: Action, *, on_error: Guard, open_to_all: bool = False
) -> HTTPRouteHandler:
    """What a form is sent to. One that is not from a page of ours changes nothing."""

    async def answer(request: AnyRequest) -> Answer:
        visit = Visit(door, request, await door.sessions.visitor(request))
        try:
            visit.fields = await _fields(request)
            if not open_to_all and visit.visitor.person is None:
                return visit.go_to_sign_in()
            if not door.sessions.is_ours(request, visit.visitor, visit.fields.get("token", "")):
                raise FormRefused
            return await action(visit)
        except Exception as error:
            return await on_error(visit, error)

    return route(path, http_method=[HttpMethod.POST], status_code=200, request_max_body_size=LARGEST_FORM)(
        answer
    )


class FormRefused(Exception):
    """A form that this person was not shown in this browser."""


async def _fields(request: AnyRequest) -> dict[str, str]:
    """Lines end as they do everywhere but in forms."""
    sent = parse_qs(
        (await request.body()).decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=200
    )
    return {name: values[-1].replace("\r\n", "\n") for name, values in sent.items()}
