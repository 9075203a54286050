"""Sending what is to be pushed: each push service in slots of its own, so that a slow one delays no other."""

import asyncio
import random
from datetime import timedelta

from postroom.features.inbox.push.due import Due, Ended, claim, hosts_with_pushes, look_up, write_ends
from postroom.features.inbox.push.follow import follow
from postroom.features.inbox.push.judge import Outcome, next_try, outcome_of
from postroom.features.inbox.push.message import Message, Pages, headers_of, messages_for
from postroom.features.webhooks.caller import Caller
from postroom.kit.clock import Clock
from postroom.kit.crypto import Vault
from postroom.kit.database import (
    NOT_NOW,
    Database,
    DatabaseUnavailable,
    GroupCommit,
    LockTimeout,
    in_transactions,
)
from postroom.kit.in_hand import InHand
from postroom.kit.log import get_logger
from postroom.kit.signal import Wakeup
from postroom.kit.web_push import Sender, from_text, seal_for

log = get_logger(__name__)

SLOTS = 16
"""Browsers in hand for one push service."""
CALL_SECONDS = 5
"""How long a push service may take: what one browser is pushed at once is over within its lease."""
MOST_IN_HAND = 64
"""And for all of them together: each looks something up first."""

_LOOKING_AT_ONCE = 2
"""Whoever waits for a page has the other connections."""
_LOOK_EVERY = timedelta(seconds=1)
_PAUSE_SECONDS = 0.02
_WAIT_SECONDS = 1
_PATIENCE_SECONDS = 3


class Pusher:
    """One process's part of the work; on PostgreSQL several share it, by leases on the subscriptions."""

    def __init__(
        self,
        *,
        database: Database,
        vault: Vault,
        caller: Caller,
        sender: Sender,
        pages: Pages,
        clock: Clock,
        lease: timedelta,
    ) -> None:
        self._database = database
        self._vault = vault
        self._caller = caller
        self._sender = sender
        self._pages = pages
        self._clock = clock
        self._lease = lease
        self._wakeup = Wakeup()
        self._in_hand: InHand[bytes] = InHand(let_go=self._wakeup.ring)
        self._looking = asyncio.Semaphore(_LOOKING_AT_ONCE)
        self._ends: GroupCommit[Ended, None] = GroupCommit(write=in_transactions(database, write_ends))

    @property
    def public_key(self) -> str:
        """What browsers subscribe with."""
        return self._sender.public_key

    async def follow(self) -> int:
        """Write down what is to be pushed of what is new on screens; how much."""
        written = await follow(self._database, now=self._clock())
        if written:
            self._wakeup.ring()
        return written

    async def run(self, *, stop: asyncio.Event) -> None:
        """Send what is due until `stop`; then wait for what is in hand, or leave it: its leases lapse."""
        sending = asyncio.create_task(self._again())
        await stop.wait()
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await self._in_hand.finish(within=_PATIENCE_SECONDS)

    async def start_due(self) -> int:
        """Begin with the browsers that are due and have a slot; how many."""
        now = self._clock()
        async with self._database.reading() as conn:
            hosts = await hosts_with_pushes(conn, now=now)
        if not any(self._free(host) for host in hosts):
            return 0
        async with self._database.transaction() as conn:
            claimed = await claim(conn, self._free, vault=self._vault, now=now, lease=self._lease)
        for due in claimed:
            self._in_hand.begin(due.host, self._serve(due))
        return len(claimed)

    async def idle(self) -> None:
        """Wait until nothing is in hand."""
        await self._in_hand.idle()

    async def close(self) -> None:
        """Leave what is in hand, and write down what has ended."""
        await self._in_hand.finish(within=0)
        await self._ends.close()

    def _free(self, host: bytes) -> int:
        # However many others are slow, one to a service that is not in hand at all is always begun.
        most = SLOTS if self._in_hand.total() < MOST_IN_HAND else 1
        return most - self._in_hand.number_for(host)

    async def _again(self) -> None:
        while True:
            begun = 0
            try:
                begun = await self.start_due()
            except (DatabaseUnavailable, LockTimeout):
                log.warning("pushes wait for the database")
                await asyncio.sleep(_WAIT_SECONDS)
            except Exception as error:
                log.error("pushes failed", exc_info=error)
                await asyncio.sleep(_WAIT_SECONDS)
            if not begun:
                await self._wakeup.wait(at_most=_LOOK_EVERY)
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _serve(self, due: Due) -> None:
        try:
            await self._ends.submit(await self._send_all(due))
        except NOT_NOW:
            log.warning("what came of pushes could not be written, and they are sent again")
        except Exception as error:
            log.error("a push failed", exc_info=error)

    async def _send_all(self, due: Due) -> Ended:
        now = self._clock()
        async with self._looking, self._database.snapshot() as conn:
            ready = await look_up(conn, due, vault=self._vault, now=now)
        messages = messages_for(
            ready.notifications,
            subscription_id=due.id,
            unread=ready.unread,
            pages=self._pages,
            vault=self._vault,
            now=now,
        )
        # What is not to be sent any more is over, and so is each that is sent.
        left = {each for message in messages for each in message.notification_ids}
        over = [each for each in ready.over if each not in left]
        for message in messages:
            ended = await self._send(due, message, over)
            if ended is not None:
                return ended
            over += message.notification_ids
        return Ended(due, tuple(over), self._clock())

    async def _send(self, due: Due, message: Message, over: list[str]) -> Ended | None:
        """Send one; how it ended where nothing more can be sent to that browser now."""
        address, now = due.address, self._clock()
        body = seal_for(message.body, p256dh=from_text(address.p256dh), auth=from_text(address.auth))
        headers = headers_of(message)
        headers["Authorization"] = self._sender.authorization(address.endpoint, now=now)
        answer = await self._caller.post(address.endpoint, body, headers)
        outcome = outcome_of(answer, failures=due.failures)
        write = log.warning if outcome is Outcome.REFUSED else log.info
        write(
            "push",
            notification_id=message.notification_ids[0],
            number=len(message.notification_ids),
            outcome=outcome.value,
            status=answer.status_code,
            error=answer.error,
        )
        now = self._clock()
        match outcome:
            case Outcome.GONE:
                return Ended(due, tuple(over), now, is_gone=True)
            case Outcome.TRY_AGAIN:
                chance = random.random()  # noqa: S311 - spreads retries, guards nothing
                again = next_try(answer, failures=due.failures, now=now, chance=chance)
                return Ended(due, tuple(over), now, failures=due.failures + 1, next_try=again)
        return None
