"""The worker: does the steps of deliveries as they fall due, and what is done again and again."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from postroom.app import App
from postroom.features import limits, monitors
from postroom.features.audit.seal import seal_entries
from postroom.features.inbox.push.subscriptions import forget_lapsed
from postroom.features.notifications import idempotency, sweep
from postroom.features.notifications.ending import MOST_EXPIRED, end_expired, has_anything_expired
from postroom.features.notifications.resume import resume_waiting
from postroom.features.readers.fold import fold
from postroom.features.screens.publish import forget_changes
from postroom.features.webhooks.forget import forget_feedback as forget_old_feedback
from postroom.kit.database import NOT_NOW
from postroom.kit.log import get_logger

log = get_logger(__name__)

UPCOMING = timedelta(minutes=2)


async def queue_overdue(app: App) -> None:
    async with app.database.transaction() as conn:
        await sweep.queue_overdue(conn, queue=app.queue, now=app.clock())


async def queue_upcoming(app: App) -> None:
    async with app.database.transaction() as conn:
        await sweep.queue_upcoming(conn, queue=app.queue, now=app.clock(), horizon=UPCOMING)


async def resume_what_waited(app: App) -> None:
    await resume_waiting(
        database=app.database,
        changes=app.changes,
        circuits=app.circuits,
        credentials=app.credentials,
        clock=app.clock,
    )


async def resume_what_others_left(app: App) -> None:
    """What a process put off that ended before it learned that the provider is back."""
    app.circuits.keep_news()
    await resume_what_waited(app)


async def give_up_raw_keys(app: App) -> None:
    async with app.database.transaction() as conn:
        await sweep.give_up_raw_keys(conn, credentials=app.credentials, now=app.clock())


async def forget_idempotency_keys(app: App) -> None:
    async with app.database.transaction() as conn:
        await idempotency.forget_expired(conn, now=app.clock())


async def forget_sends(app: App) -> None:
    async with app.database.transaction() as conn:
        await limits.forget_sends(conn, now=app.clock())


async def forget_feedback(app: App) -> None:
    await forget_old_feedback(app.database, now=app.clock())


async def follow_screens(app: App) -> None:
    await app.pusher.follow()


async def forget_push_subscriptions(app: App) -> None:
    forgotten = 1
    while forgotten:
        async with app.database.transaction() as conn:
            forgotten = await forget_lapsed(conn, now=app.clock())


async def forget_screen_changes(app: App) -> None:
    # What was new while no worker ran is pushed before it is forgotten.
    await app.pusher.follow()
    await forget_changes(app.database, now=app.clock())


async def escalate(app: App) -> None:
    while await app.escalator.take_due():
        pass


async def seal_audit(app: App) -> None:
    await seal_entries(app.database, vault=app.vault, now=app.clock())


async def end_what_expired(app: App) -> None:
    async with app.database.reading() as conn:
        number = MOST_EXPIRED if await has_anything_expired(conn, now=app.clock()) else 0
    while number == MOST_EXPIRED:
        async with app.database.transaction() as conn:
            number = await end_expired(conn, vault=app.vault, queue=app.queue, now=app.clock())
        if number:
            app.live.ring()
            app.dispatcher.ring()


async def add_up_counts(app: App) -> None:
    await fold(app.database)


async def tell_owners_of_webhooks(app: App) -> None:
    await monitors.tell_owners(database=app.database, creator=app.creator, vault=app.vault, now=app.clock())


async def purge_queue_log(app: App) -> None:
    from postroom.kit.queue.postgres import purge_log

    async with app.database.transaction() as conn:
        await purge_log(conn)


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Work that is done again every so often. `on_postgres` marks what an embedded queue has no need of."""

    every: timedelta
    on_postgres: bool = False


JOBS: Mapping[str, Callable[[App], Awaitable[None]]] = {
    "queue what is overdue": queue_overdue,
    "queue what is coming up": queue_upcoming,
    "resume what waited for a provider": resume_what_waited,
    "resume what others left waiting": resume_what_others_left,
    "give up raw keys": give_up_raw_keys,
    "forget idempotency keys": forget_idempotency_keys,
    "forget sends of more than an hour ago": forget_sends,
    "forget old feedback": forget_feedback,
    "forget what changed on screens": forget_screen_changes,
    "push what is new on screens": follow_screens,
    "forget browsers that were not seen for long": forget_push_subscriptions,
    "escalate": escalate,
    "seal the audit": seal_audit,
    "add up what readers have": add_up_counts,
    "tell owners of webhooks that are off": tell_owners_of_webhooks,
    "end what has expired": end_what_expired,
    "purge the queue's log": purge_queue_log,
}

SCHEDULE: Mapping[str, Scheduled] = {
    "queue what is overdue": Scheduled(timedelta(seconds=5), on_postgres=True),
    "queue what is coming up": Scheduled(timedelta(minutes=1), on_postgres=True),
    "resume what waited for a provider": Scheduled(timedelta(seconds=1)),
    "resume what others left waiting": Scheduled(timedelta(minutes=1)),
    "give up raw keys": Scheduled(timedelta(minutes=10)),
    "forget idempotency keys": Scheduled(timedelta(minutes=10)),
    "forget sends of more than an hour ago": Scheduled(timedelta(minutes=10)),
    "forget old feedback": Scheduled(timedelta(hours=1)),
    "forget what changed on screens": Scheduled(timedelta(minutes=1)),
    "push what is new on screens": Scheduled(timedelta(seconds=1)),
    "forget browsers that were not seen for long": Scheduled(timedelta(hours=1)),
    "escalate": Scheduled(timedelta(seconds=5)),
    "seal the audit": Scheduled(timedelta(seconds=5)),
    "add up what readers have": Scheduled(timedelta(seconds=1)),
    "tell owners of webhooks that are off": Scheduled(timedelta(minutes=1)),
    "end what has expired": Scheduled(timedelta(seconds=1)),
    "purge the queue's log": Scheduled(timedelta(minutes=10), on_postgres=True),
}


async def run_worker(app: App, *, stop: asyncio.Event) -> None:
    """Work until `stop`; then finish what is in hand, or leave it to be reconciled at the next start."""
    async with asyncio.TaskGroup() as group:
        repeating = [
            group.create_task(_again_and_again(app, name, scheduled.every))
            for name, scheduled in SCHEDULE.items()
            if app.database.is_postgres or not scheduled.on_postgres
        ]
        group.create_task(app.queue.run(handle=app.sender.step, stop=stop))
        group.create_task(app.dispatcher.run(stop=stop))
        group.create_task(app.pusher.run(stop=stop))
        await stop.wait()
        for task in repeating:
            task.cancel()


async def _again_and_again(app: App, name: str, every: timedelta) -> None:
    while True:
        try:
            await JOBS[name](app)
        except NOT_NOW:
            log.warning("scheduled work waits for the database", job=name)
        except Exception as error:
            log.error("scheduled work failed", job=name, exc_info=error)
        await asyncio.sleep(every.total_seconds())
