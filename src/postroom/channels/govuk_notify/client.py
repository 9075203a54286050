"""The asynchronous client of GOV.UK Notify. One session for all keys; every call has a time limit."""

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

import aiohttp
import msgspec

from postroom.channels.govuk_notify import answers, refusals
from postroom.channels.govuk_notify.token import TokenMaker
from postroom.domain.outcome import Accepted, Outcome, TryAgain, Uncertain
from postroom.kit.clock import Clock

Answer = TypeVar("Answer")

_LARGEST_ANSWER = 16 * 1024 * 1024
_CONNECT_SECONDS = 3
_KEEP_IDLE_SECONDS = 3
"""Shorter than any server keeps an idle connection: a call is not begun on one that is just being closed."""


class NotifyUnavailable(Exception):
    """Notify did not answer, or not with what it should."""


class NotifyLimited(Exception):
    """Notify says that this key calls too often."""


class NotifyRefusedKey(Exception):
    """Notify does not accept this key."""


class NotifyClients:
    """A client for each key, over one session and one pool of connections."""

    def __init__(self, *, clock: Clock, call_seconds: float = 10, connections: int = 100) -> None:
        self._clock = clock
        self._timeout = aiohttp.ClientTimeout(
            total=call_seconds, sock_connect=min(_CONNECT_SECONDS, call_seconds)
        )
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None
        self._clients: dict[tuple[str, str], NotifyClient] = {}

    def of(self, *, base_url: str, key: str) -> "NotifyClient":
        client = self._clients.get((base_url, key))
        if client is None:
            client = NotifyClient(session=self._open(), base_url=base_url, key=key, clock=self._clock)
            self._clients[(base_url, key)] = client
        return client

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
        self._clients.clear()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout,
                connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=_KEEP_IDLE_SECONDS),
                headers={"User-Agent": "postroom", "Content-Type": "application/json"},
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


class NotifyClient:
    """Notify, called with one service's key."""

    def __init__(self, *, session: aiohttp.ClientSession, base_url: str, key: str, clock: Clock) -> None:
        self._session = session
        self.base_url = base_url
        self._tokens = TokenMaker(key)
        self._clock = clock

    async def send_email(
        self,
        *,
        email_address: str,
        template_id: str,
        personalisation: Mapping[str, Any],
        reference: str,
        until: datetime | None = None,
    ) -> Outcome:
        """A call that Notify itself refuses, where it comes later than `until`; so with the others."""
        return await self._send(
            "email", {"email_address": email_address}, template_id, personalisation, reference, until
        )

    async def send_text(
        self,
        *,
        phone_number: str,
        template_id: str,
        personalisation: Mapping[str, Any],
        reference: str,
        until: datetime | None = None,
    ) -> Outcome:
        return await self._send(
            "sms", {"phone_number": phone_number}, template_id, personalisation, reference, until
        )

    async def send_letter(
        self,
        *,
        template_id: str,
        personalisation: Mapping[str, Any],
        reference: str,
        until: datetime | None = None,
    ) -> Outcome:
        """A letter by a template; the address is in `personalisation` as address_line_1 … address_line_7."""
        return await self._send("letter", {}, template_id, personalisation, reference, until)

    async def send_precompiled_letter(
        self, *, pdf: bytes, reference: str, postage: str | None = None
    ) -> Outcome:
        body = {"reference": reference, "content": base64.b64encode(pdf).decode()}
        if postage is not None:
            body["postage"] = postage
        return await self._post("letter", body, values=())

    async def notification(self, notify_id: str) -> answers.NotifyMessage | None:
        """The message, or None where Notify does not know it (any longer, or for this key)."""
        return await self._get(f"/v2/notifications/{notify_id}", {}, answers.NotifyMessage)

    async def by_reference(self, reference: str) -> list[answers.NotifyMessage]:
        """The messages that were sent under this reference with a key of this key's type, newest first."""
        return (
            await self._list("/v2/notifications", {"reference": reference}, answers.MessageList)
        ).notifications

    async def templates(self) -> list[answers.NotifyTemplate]:
        return (await self._list("/v2/templates", {}, answers.TemplateList)).templates

    async def template(self, template_id: str) -> answers.NotifyTemplate | None:
        return await self._get(f"/v2/template/{template_id}", {}, answers.NotifyTemplate)

    async def preview(
        self, template_id: str, *, personalisation: Mapping[str, Any]
    ) -> answers.TemplatePreview | None:
        """The template filled in; None where there is none, ValueError where a value is missing."""
        body = msgspec.json.encode({"personalisation": personalisation})
        path = f"/v2/template/{template_id}/preview"
        status, raw = await self._call("POST", path, data=body)
        if status == 400:
            raise ValueError("a value is missing in the personalisation")
        return _read(status, raw, answers.TemplatePreview)

    async def _send(
        self,
        kind: str,
        recipient: dict[str, str],
        template_id: str,
        personalisation: Mapping[str, Any],
        reference: str,
        until: datetime | None,
    ) -> Outcome:
        body: dict[str, Any] = {
            **recipient,
            "template_id": template_id,
            "personalisation": personalisation,
            "reference": reference,
        }
        values = (*recipient.values(), *personalisation.values())
        return await self._post(kind, body, values=values, until=until)

    async def _post(
        self, kind: str, body: dict[str, Any], *, values: tuple[Any, ...], until: datetime | None = None
    ) -> Outcome:
        """One try. What can have happened is told apart: taken, refused, surely not taken, not known."""
        try:
            status, raw = await self._request(
                "POST", f"/v2/notifications/{kind}", until=until, data=msgspec.json.encode(body)
            )
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            return TryAgain("GOV.UK Notify could not be reached")
        except TimeoutError:
            return Uncertain("GOV.UK Notify did not answer in time")
        except (aiohttp.ClientError, OSError):
            return Uncertain("the connection to GOV.UK Notify broke")
        if status == 201:
            return _taken(raw)
        return refusals.to_outcome(status, raw, values=values)

    async def _list(self, path: str, params: Mapping[str, str], kind: type[Answer]) -> Answer:
        """A list, which Notify always has: a 404 is somebody else's, and says nothing of what it knows."""
        found = await self._get(path, params, kind)
        if found is None:
            raise NotifyUnavailable("something other than GOV.UK Notify answered")
        return found

    async def _get(self, path: str, params: Mapping[str, str], kind: type[Answer]) -> Answer | None:
        status, raw = await self._call("GET", path, params=params)
        return _read(status, raw, kind)

    async def _call(self, method: str, path: str, **kwargs: Any) -> tuple[int, bytes]:
        try:
            return await self._request(method, path, **kwargs)
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise NotifyUnavailable("GOV.UK Notify could not be reached") from None

    async def _request(
        self, method: str, path: str, *, until: datetime | None = None, **kwargs: Any
    ) -> tuple[int, bytes]:
        now = self._clock().timestamp()
        if until is None:
            token = self._tokens.token(now=now)
        else:
            token = self._tokens.lapsing(at=until.timestamp(), now=now)
        async with self._session.request(
            method,
            self.base_url.rstrip("/") + path,
            headers={"Authorization": f"Bearer {token}"},
            allow_redirects=False,
            **kwargs,
        ) as response:
            return response.status, await _body(response)


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """The whole answer; of one that is absurdly long only the beginning, which then cannot be read."""
    raw = bytearray()
    async for chunk in response.content.iter_any():
        raw += chunk
        if len(raw) > _LARGEST_ANSWER:
            response.close()
            break
    return bytes(raw)


def _taken(raw: bytes) -> Outcome:
    try:
        sent = msgspec.json.decode(raw, type=answers.Sent)
    except msgspec.MsgspecError:
        return Uncertain("GOV.UK Notify accepted it with an answer that cannot be read", 201)
    return Accepted(notify_id=sent.id, template_version=sent.template_version)


def _read(status: int, raw: bytes, kind: type[Answer]) -> Answer | None:
    if status in (401, 403):
        raise NotifyRefusedKey("GOV.UK Notify does not accept the key")
    if status == 429:
        raise NotifyLimited("GOV.UK Notify asks to call less often")
    if status in (400, 404):
        return None
    if status != 200:
        raise NotifyUnavailable(f"GOV.UK Notify answered {status}")
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.MsgspecError:
        raise NotifyUnavailable("GOV.UK Notify answered what cannot be read") from None
