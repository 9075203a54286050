"""Asking Postroom over HTTP: where it is, with which key, and what its refusals mean."""

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from postroom.cli.failure import CANNOT, REFUSED, STOPPED, CannotGoOn

DEFAULT_URL = "http://127.0.0.1:8000"
KEY = "POSTROOM_KEY"
_SECONDS = 30

Url = Annotated[str, typer.Option(envvar="POSTROOM_URL", help="Where Postroom is.")]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        envvar="POSTROOM_KEY_FILE",
        help=f"A file with the API key alone. Without it, the key is read from {KEY}: it is never typed.",
    ),
]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: Any = field(repr=False)

    @property
    def retry_after(self) -> float | None:
        """The seconds after which it asks to be asked again."""
        text = self.headers.get("retry-after", "")
        return float(text) if text.isdigit() else None

    @property
    def next_url(self) -> str | None:
        """Where the next page is."""
        link = self.headers.get("link", "")
        return link[1 : link.index(">")] if link.startswith("<") and ">" in link else None


class Unreachable(CannotGoOn):
    """Nothing answers there, or not in time: whether it was taken is not known."""


class Api:
    """A Postroom and a key. Every refusal is a CannotGoOn that says what to do."""

    def __init__(self, session: Any, url: str) -> None:
        self._session = session
        self._url = url

    async def ask(self, method: str, path: str, **how: Any) -> Answer:
        """The answer, where it is a success."""
        return succeeded(await self.try_to(method, path, **how))

    async def try_to(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        **how: Any,
    ) -> Answer:
        """Any answer; Unreachable where there is none."""
        import aiohttp

        try:
            async with self._session.request(
                method, self._url + path, json=body, headers=headers, allow_redirects=False, **how
            ) as got:
                text = await got.text()
                return Answer(got.status, {k.lower(): v for k, v in got.headers.items()}, _read(text))
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise Unreachable(
                f"nothing answers at {self._url}: see that Postroom runs there, or set POSTROOM_URL"
            ) from None
        except ValueError:
            raise CannotGoOn(f"what answers at {self._url} is no Postroom: set POSTROOM_URL") from None

    async def own_name(self) -> str:
        """The name of the service whose key this is."""
        answer = await self.try_to("GET", "/services")
        if answer.status == HTTPStatus.FORBIDDEN:
            raise CannotGoOn("name the service by --service: this key may not read who it belongs to")
        return str(succeeded(answer).body[0]["name"])


def succeeded(answer: Answer) -> Answer:
    """The answer, where it is a success; else why not, with exit code 1 where a field is at fault."""
    if answer.status >= HTTPStatus.BAD_REQUEST:
        code = REFUSED if answer.status == HTTPStatus.BAD_REQUEST else CANNOT
        raise CannotGoOn(_refusal(answer), code=code)
    return answer


@asynccontextmanager
async def calling(url: str, key_file: Path | None) -> AsyncIterator[Api]:
    """The API there, with the key from the file or the environment."""
    import aiohttp

    if not url.startswith(("http://", "https://")):
        raise CannotGoOn("POSTROOM_URL must begin with https:// or http://")
    headers = {"x-api-key": _read_key(key_file)}
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        yield Api(session, url.rstrip("/"))


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """Do the work; Ctrl-C ends it with a word and no more."""
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        raise CannotGoOn("stopped", code=STOPPED) from None


def _read_key(key_file: Path | None) -> str:
    if key_file is None:
        key = os.environ.get(KEY, "").strip()
        if not key:
            raise CannotGoOn(f"set {KEY} to your API key, or name a file that holds it by --key-file")
    else:
        try:
            key = key_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise CannotGoOn(f"{key_file} cannot be read: it must hold an API key") from None
    if not key.isascii() or not key.isprintable() or " " in key or not key:
        raise CannotGoOn(f"this is no API key: look at {KEY if key_file is None else key_file}")
    return key


def _read(text: str) -> Any:
    import json

    return json.loads(text) if text else None


def _refusal(answer: Answer) -> str:
    """What Postroom said, and what to do about it."""
    problem = answer.body if isinstance(answer.body, dict) else {}
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return f"the API key is not known there, or not valid any more: look at {KEY} and POSTROOM_URL"
    said = problem.get("devErrorMessages") or [problem.get("detail") or f"status {answer.status}"]
    text = "; ".join(str(each) for each in said)
    if answer.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        return f"{text} Try again in {answer.retry_after or 1:g} s."
    return text
