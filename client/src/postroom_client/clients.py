"""The two clients. They differ in how they send and how they wait, and in nothing else."""

import asyncio
import re
import ssl
import time
from collections.abc import Generator
from importlib.metadata import version
from typing import TypedDict, TypeVar, Unpack
from urllib.parse import urlencode

import httpx

from postroom_client import acting, following, outgoing, reading, reviving, sending
from postroom_client.conversation import Heard, Pause, RetryPolicy, Send, Step, converse
from postroom_client.methods import Awaiting, Blocking, Listing, Method
from postroom_client.operation import NoAnswer, Operation, Response

T = TypeVar("T")

# A server drops idle connections after some seconds, uvicorn after 5: we do so first, and meet no such end.
_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=3)
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_PERHAPS_SENT = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError)


class Caller(TypedDict, total=False):
    """Who calls, and how patiently. Either a service's `key` or an officer's `token`.

    `service` is the caller's name: what goes out, a message's status and the templates ask for it.
    """

    key: str | None
    token: str | None
    service: str | None
    policy: RetryPolicy | None


class _Client:
    """What both can do."""

    notify = Method(sending.notify)
    send_email = Method(sending.sending(outgoing.email))
    send_text = Method(sending.sending(outgoing.text))
    send_letter = Method(sending.sending(outgoing.letter))
    send_screen = Method(sending.sending(outgoing.screen))
    send_many = Method(sending.send_many)

    get = Method(reading.get)
    list = Listing(reading.list_notifications)
    count = Method(reading.count)
    message_status = Method(reading.message_status)
    templates = Method(reading.templates)
    template = Method(reading.template)
    health = Method(reading.health)

    validate = Method(following.validate)
    preview = Method(following.preview)
    timeline = Method(following.timeline)
    feedback = Listing(following.feedback)
    set_webhook = Method(following.set_webhook)
    webhook = Method(following.webhook)
    rotate_webhook_secret = Method(following.rotate_webhook_secret)
    remove_webhook = Method(following.remove_webhook)

    dead_letters = Listing(reviving.dead_letters)
    dead_letter = Method(reviving.dead_letter)
    replay = Method(reviving.replay)
    replay_many = Method(reviving.replay_many)

    act = Method(acting.act)
    approve = Method(acting.approve)
    reject = Method(acting.reject)
    mark_read = Method(acting.mark_read)
    mark_unread = Method(acting.mark_unread)
    remove = Method(acting.remove)

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        token: str | None = None,
        service: str | None = None,
        policy: RetryPolicy | None = None,
    ) -> None:
        self.service = service
        self._policy = policy or RetryPolicy()
        self._url = url.rstrip("/")
        self._headers = {
            "Accept": "application/json",
            "User-Agent": f"postroom-client/{version('postroom-client')}",
            **_credential(key=key, token=token),
        }

    def _begin(self, operation: Operation[T]) -> Generator[Step, Heard, T]:
        return converse(operation, policy=self._policy, clock=time.monotonic)

    def _request(self, step: Send) -> httpx.Request:
        wanted = step.request
        query = f"?{urlencode(wanted.query)}" if wanted.query else ""
        return httpx.Request(
            wanted.method,
            f"{self._url}{wanted.path}{query}",
            headers={**self._headers, **wanted.headers},
            content=wanted.body,
            extensions={"timeout": httpx.Timeout(step.timeout).as_dict()},
        )


class Postroom(_Client, Blocking):
    """Postroom for blocking code. Make one, and share it among threads.

    `transport` replaces the default one, to go through a proxy or to trust other certificates than the
    system's: `httpx.HTTPTransport(proxy=…, verify=…)`.
    """

    def __init__(
        self, url: str, *, transport: httpx.BaseTransport | None = None, **caller: Unpack[Caller]
    ) -> None:
        super().__init__(url, **caller)
        self._transport = transport or httpx.HTTPTransport(
            verify=ssl.create_default_context(), limits=_LIMITS
        )

    def run(self, operation: Operation[T]) -> T:
        conversation = self._begin(operation)
        heard: Heard = None
        while True:
            try:
                step = conversation.send(heard)
            except StopIteration as end:
                result: T = end.value
                return result
            heard = self._take(step)

    def close(self) -> None:
        self._transport.close()

    def __enter__(self) -> "Postroom":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take(self, step: Step) -> Heard:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        try:
            # The transport alone: httpx.Client would log the URL, and it may name an officer.
            response = self._transport.handle_request(self._request(step))
            try:
                return _read(response, response.read())
            finally:
                response.close()
        except (*_NOT_SENT, *_PERHAPS_SENT) as error:
            return _failed(error)


class AsyncPostroom(_Client, Awaiting):
    """Postroom for asyncio. Make one in the loop that uses it.

    `transport` replaces the default one, as with Postroom: `httpx.AsyncHTTPTransport(…)`.
    """

    def __init__(
        self, url: str, *, transport: httpx.AsyncBaseTransport | None = None, **caller: Unpack[Caller]
    ) -> None:
        super().__init__(url, **caller)
        self._transport = transport or httpx.AsyncHTTPTransport(
            verify=ssl.create_default_context(), limits=_LIMITS
        )

    async def run(self, operation: Operation[T]) -> T:
        conversation = self._begin(operation)
        heard: Heard = None
        while True:
            try:
                step = conversation.send(heard)
            except StopIteration as end:
                result: T = end.value
                return result
            heard = await self._take(step)

    async def close(self) -> None:
        await self._transport.aclose()

    async def __aenter__(self) -> "AsyncPostroom":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _take(self, step: Step) -> Heard:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        try:
            response = await self._transport.handle_async_request(self._request(step))
            try:
                return _read(response, await response.aread())
            finally:
                await response.aclose()
        except (*_NOT_SENT, *_PERHAPS_SENT) as error:
            return _failed(error)


def _credential(*, key: str | None, token: str | None) -> dict[str, str]:
    if (key is None) is (token is None):
        raise ValueError("Give a service's key or an officer's token.")
    # What no header can hold, such as the end of a file's line, would else be shown in an error, key and all.
    if not re.fullmatch(r"[!-~]+", key or token or ""):
        raise ValueError("A key or token is printable ASCII without spaces.")
    return {"X-Api-Key": key} if key else {"Authorization": f"Bearer {token}"}


def _read(response: httpx.Response, body: bytes) -> Response:
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Response(status=response.status_code, headers=headers, body=body)


def _failed(error: Exception) -> NoAnswer:
    return NoAnswer(sent=not isinstance(error, _NOT_SENT), cause=error)
