"""Where letters are made and looked at, away from the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from notify_rules.limits import LETTER_PAGES
from notify_sandbox import content
from notify_sandbox.content import Content
from notify_sandbox.letters.inspect import Finding, inspect, page_count
from notify_sandbox.letters.picture import page_picture
from notify_sandbox.letters.render import Printer
from notify_sandbox.model import Notification, Service
from notify_sandbox.record import Row
from notify_sandbox.world import World

T = TypeVar("T")
CERTAINLY_ONE_PAGE = (1_000, 15)
"""Characters and lines that fit on a page without having to be printed to know."""


class Letters:
    """One thread of its own: PDFium bears no more than one, and a letter must not hold up other answers."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sandbox-letters")
        self._printer: Printer | None = None

    async def prepare(self, sent: Notification, filled: Content, service: Service) -> str | None:
        """Counts the pages of a letter; the status that it ends with if they are too many."""
        characters, lines = CERTAINLY_ONE_PAGE
        if len(filled.body) <= characters and filled.body.count("\n") < lines:
            sent.page_count = 1
            return None
        sent.page_count = page_count(await self._print(sent, filled, service))
        if sent.page_count > LETTER_PAGES:
            sent.validation_message = "letter-too-long"
            return "validation-failed"
        return None

    async def inspect(self, sent: Notification, pdf: bytes, service: Service) -> Finding:
        """Keeps a PDF that was handed over, and looks at it."""
        self._world.record.save([Row("letter", sent.id, pdf)])
        abroad = "international_letters" in service.permissions
        return await self._away(partial(inspect, pdf, international=abroad))

    async def pdf(self, sent: Notification) -> bytes | None:
        """The letter as it would be printed."""
        if sent.precompiled:
            return self._world.record.fetch("letter", sent.id)
        version = self._world.templates[sent.template_id].at(sent.template_version)
        assert version is not None
        return await self._print(sent, content.of(sent, version), self._world.services[sent.service_id])

    async def picture(self, sent: Notification, number: int) -> bytes | None:
        """A page of it, counted from 0."""
        pdf = await self.pdf(sent)
        return None if pdf is None else await self._away(partial(page_picture, pdf, number))

    async def _print(self, sent: Notification, filled: Content, service: Service) -> bytes:
        return await self._away(
            lambda: self._own_printer().pdf(
                address=sent.address or (),
                contact=service.letter_contact,
                subject=filled.subject or "",
                body=filled.body,
                at=sent.created_at,
            )
        )

    def _own_printer(self) -> Printer:
        if self._printer is None:
            self._printer = Printer()
        return self._printer

    async def _away(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
