"""Delivery receipts: posted to a service's callback when a message comes to its end."""

import asyncio
import contextlib
import heapq
from typing import NamedTuple

import aiohttp
import msgspec

from notify_sandbox import shapes
from notify_sandbox.faults import Faults, ReceiptFault
from notify_sandbox.model import Callback, Notification, ReceiptState
from notify_sandbox.world import World

ANSWER_WITHIN = 5.0
RETRIES = 5
AT_ONCE = 64
LATE_BY = 30.0


class _Due(NamedTuple):
    at: float
    order: int
    sent: Notification
    receipt: ReceiptState


class Receipts:
    """Waits for each receipt's time, posts it, and tries again as Notify does: after 300 s, five times."""

    def __init__(self, world: World, *, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._due: list[_Due] = []
        self._order = 0
        self._under_way: set[int] = set()
        self._earlier = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._session: aiohttp.ClientSession | None = None

    async def run(self) -> None:
        """Until it is cancelled. What an earlier process left undone goes on."""
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=ANSWER_WITHIN),
            connector=aiohttp.TCPConnector(limit=0),
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self._world.listeners.add(self.plan)
        for sent in list(self._world.notifications.values()):
            self.plan(sent)
        try:
            await self._deliver_when_due()
        finally:
            self._world.listeners.discard(self.plan)
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._session.close()

    def plan(self, sent: Notification) -> None:
        """Takes in what a message still has to report."""
        for receipt in sent.receipts:
            if receipt.finished is None:
                self._push(sent, receipt)

    def hurry(self) -> None:
        """Looks at the clock again, after it was moved."""
        self._earlier.set()

    def _push(self, sent: Notification, receipt: ReceiptState) -> None:
        self._order += 1
        due = _Due(receipt.due_at, self._order, sent, receipt)
        if not self._due or due.at < self._due[0].at:
            self._earlier.set()
        heapq.heappush(self._due, due)

    async def _deliver_when_due(self) -> None:
        while True:
            self._earlier.clear()
            now = self._world.now()
            while self._due and self._due[0].at <= now:
                self._start(heapq.heappop(self._due))
            wait = self._due[0].at - now if self._due else None
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._earlier.wait(), wait)

    def _start(self, due: _Due) -> None:
        sent, receipt = due.sent, due.receipt
        planned_again = receipt.due_at != due.at or id(receipt) in self._under_way
        if receipt.finished is not None or planned_again or receipt not in sent.receipts:
            return
        self._under_way.add(id(receipt))
        task = asyncio.create_task(self._deliver(sent, receipt))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, sent: Notification, receipt: ReceiptState) -> None:
        callback = self._world.services[sent.service_id].callback
        if callback is None:
            self._finish(sent, receipt, "no callback")
            return
        fault = self._fault_for(sent)
        if fault is ReceiptFault.LOST:
            self._finish(sent, receipt, "lost")
            return
        if fault is not None and receipt.tries == 0:
            await asyncio.sleep(self._faults.receipt_delay(fault))
        async with self._places:
            answer = await self._post(sent, receipt, callback)
            if fault is ReceiptFault.DOUBLED:
                receipt.answers.append(answer)
                answer = await self._post(sent, receipt, callback)
        self._under_way.discard(id(receipt))
        self._settle(sent, receipt, answer)

    def _fault_for(self, sent: Notification) -> ReceiptFault | None:
        """One asked for this message holds for one receipt."""
        if sent.receipt_fault is None:
            return self._faults.next_receipt_fault()
        fault, sent.receipt_fault = ReceiptFault(sent.receipt_fault), None
        return fault

    async def _post(self, sent: Notification, receipt: ReceiptState, callback: Callback) -> str:
        assert self._session is not None
        body = msgspec.json.encode(shapes.receipt(sent, status=receipt.status, now=self._world.now()))
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {callback.bearer_token}"}
        try:
            async with self._session.post(
                callback.url, data=body, headers=headers, allow_redirects=False
            ) as answer:
                return str(answer.status)
        except TimeoutError:
            return "no answer in time"
        except (aiohttp.ClientError, OSError):
            return "no connection"

    def _settle(self, sent: Notification, receipt: ReceiptState, answer: str) -> None:
        receipt.tries += 1
        receipt.answers.append(answer)
        if not _deserves_another_try(answer):
            self._finish(sent, receipt, answer)
        elif receipt.tries > RETRIES:
            self._finish(sent, receipt, "given up")
        else:
            receipt.due_at = self._world.now() + self._world.timing.receipt_retry
            self._world.keep(sent)
            self._push(sent, receipt)

    def _finish(self, sent: Notification, receipt: ReceiptState, how: str) -> None:
        self._under_way.discard(id(receipt))
        receipt.finished = how
        receipt.due_at = self._world.now()
        self._world.keep(sent)


def _deserves_another_try(answer: str) -> bool:
    return not answer.isdigit() or answer == "429" or answer >= "500"
