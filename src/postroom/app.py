"""The composition root: the only file that names concrete adapters, and puts the parts together."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from importlib.resources import files
from typing import NamedTuple

from postroom.channels.govuk_notify import NotifyClients
from postroom.domain.lane import Lane
from postroom.features.inbox.live import Live
from postroom.features.inbox.push.dispatch import CALL_SECONDS, Pusher
from postroom.features.inbox.push.message import Pages
from postroom.features.limits import CallerLimits, ProviderBuckets
from postroom.features.notifications import sweep
from postroom.features.notifications.changes import Changes, Writer
from postroom.features.notifications.circuits import CircuitGate, Circuits
from postroom.features.notifications.create import Creator
from postroom.features.notifications.escalate import Escalator
from postroom.features.notifications.follow_on import FollowOnLinks
from postroom.features.notifications.gate import LimitsGate
from postroom.features.notifications.message_status import MessageStatuses
from postroom.features.notifications.plan import Plan, write_plans
from postroom.features.notifications.send import Sender
from postroom.features.notifications.subjects import subjects_of
from postroom.features.recipients import Memberships
from postroom.features.services import Credentials, Directory, Keys
from postroom.features.templates import Catalogue
from postroom.features.webhooks.caller import Caller
from postroom.features.webhooks.dispatch import Dispatcher
from postroom.kit.clock import Clock, utc_now
from postroom.kit.crypto import Vault
from postroom.kit.database import Database, GroupCommit, open_database
from postroom.kit.database.migrate import migrate
from postroom.kit.queue import JobQueue, Slots
from postroom.kit.queue.rows import RowQueue
from postroom.kit.web_push import SEED_BYTES
from postroom.kit.web_push import Sender as PushSender
from postroom.settings import Settings

SCHEMA_VERSION = "0019"
"""The last migration: what this code's tables are at."""


_LAST_WRITES_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class App:
    """The parts, ready to be used by the doors."""

    settings: Settings
    clock: Clock
    database: Database
    vault: Vault
    queue: JobQueue
    clients: NotifyClients
    directory: Directory
    credentials: Credentials
    catalogue: Catalogue
    creator: Creator
    escalator: Escalator
    changes: Changes
    circuits: Circuits
    sender: Sender
    statuses: MessageStatuses
    keys: Keys
    callers: CallerLimits
    memberships: Memberships
    dispatcher: Dispatcher
    links: FollowOnLinks
    live: Live
    pusher: Pusher


class _Base(NamedTuple):
    """What the other parts are made of."""

    settings: Settings
    clock: Clock
    database: Database
    vault: Vault
    queue: JobQueue
    clients: NotifyClients
    directory: Directory
    credentials: Credentials
    dispatcher: Dispatcher
    links: FollowOnLinks
    live: Live
    pusher: Pusher


@asynccontextmanager
async def running_app(settings: Settings, *, clock: Clock = utc_now) -> AsyncIterator[App]:
    """The app over an open database whose tables are current; closed in order at the end."""
    database = open_database(settings.database_url)
    clients = NotifyClients(
        clock=clock,
        call_seconds=settings.policy.call_timeout.total_seconds(),
        # More than all slots of the worker: no call of a single message waits for another's connection.
        connections=2 * settings.at_once + 32,
    )
    webhook_caller = Caller(private=settings.private_webhooks)
    push_caller = Caller(private=settings.private_webhooks, call_seconds=CALL_SECONDS)
    try:
        await migrate_database(database)
        base = _base(settings, clock, database, clients, webhook_caller, push_caller)
        writer = _writer(base)
        limits_gate = _limits_gate(base)
        circuits = Circuits(policy=replace(settings.circuit, probe_lasts=settings.policy.lease))
        claims, changes = _changes(base, limits_gate, circuits)
        yield _assemble(base, limits_gate, circuits, writer, changes, claims)
        # A database that does not answer holds up no stop: nobody was told of what is not written by now.
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WRITES_SECONDS):
                await writer.close()
                await claims.close()
                await changes.close()
                await base.dispatcher.close()
                await base.pusher.close()
    finally:
        await push_caller.close()
        await webhook_caller.close()
        await clients.close()
        await database.close()


async def migrate_database(database: Database) -> bool:
    """Bring the tables to this code's version; whether anything was to be done."""
    then = None
    if database.is_postgres:
        from postroom.kit.queue.postgres import install

        then = install
    scripts = str(files("postroom") / "migrations")
    return await migrate(database, scripts=scripts, head=SCHEMA_VERSION, then=then)


def _base(
    settings: Settings,
    clock: Clock,
    database: Database,
    clients: NotifyClients,
    caller: Caller,
    push_caller: Caller,
) -> _Base:
    vault = Vault(settings.secret)
    return _Base(
        settings=settings,
        clock=clock,
        database=database,
        vault=vault,
        queue=_queue(database, settings, clock),
        clients=clients,
        directory=Directory(database=database, vault=vault, clock=clock),
        credentials=Credentials(database=database, vault=vault),
        dispatcher=Dispatcher(
            database=database, vault=vault, subjects=subjects_of, caller=caller, clock=clock
        ),
        live=Live(database=database, vault=vault, most=settings.most_streams),
        pusher=_pusher(settings, clock, database, vault, push_caller),
        links=FollowOnLinks(
            vault=vault,
            public_url=settings.links.public_url,
            placeholder=settings.links.placeholder,
            last=settings.links.last,
        ),
    )


def _pusher(settings: Settings, clock: Clock, database: Database, vault: Vault, caller: Caller) -> Pusher:
    seed = vault.seed("the key pair of pushes", length=SEED_BYTES)
    return Pusher(
        database=database,
        vault=vault,
        caller=caller,
        sender=PushSender(seed, subject=settings.push_contact),
        pages=Pages(public_url=settings.links.public_url, prefix=settings.api_prefix),
        clock=clock,
        lease=settings.policy.lease,
    )


def _queue(database: Database, settings: Settings, clock: Clock) -> JobQueue:
    # Bulk has its own slots beside: however long its calls take, none is held that a single message needs.
    slots: Slots = {Lane.SINGLE: settings.at_once, Lane.BULK: max(settings.at_once // 2, 1)}
    if database.is_postgres:
        # Imported only here: an embedded Postroom carries no PgQueuer in its memory.
        from postroom.kit.queue.postgres import PostgresQueue

        return PostgresQueue(url=database.url, clock=clock, slots=slots, lease=settings.policy.lease)

    return RowQueue(find_due=partial(sweep.ids_due, database), clock=clock, slots=slots)


def _limits_gate(base: _Base) -> LimitsGate:
    return LimitsGate(
        database=base.database,
        buckets=ProviderBuckets(),
        credentials=base.credentials,
        directory=base.directory,
        clock=base.clock,
        defaults=base.settings.limits,
    )


def _writer(base: _Base) -> GroupCommit[Plan, bool]:
    async def write(plans: Sequence[Plan]) -> list[bool]:
        written = await write_plans(plans, database=base.database, vault=base.vault, queue=base.queue)
        # Most address nobody's screen, and are not worth a look.
        if any(plan.notification["audience"] for plan in plans):
            base.live.ring()
        return written

    return GroupCommit(
        write=write,
        after_commit=partial(_ring, base),
        writers=2 if base.database.is_postgres else 1,
    )


def _ring(base: _Base) -> None:
    """What was written may be a step that is due, and is something to be told of."""
    base.queue.ring()
    base.dispatcher.ring()


def _changes(base: _Base, limits_gate: LimitsGate, circuits: Circuits) -> tuple[Changes, Changes]:
    """The writers of claims, and of what became of them.

    Claims take from the provider's bucket, a row that is locked until they are written: one transaction at a
    time, and beside it others write what became of deliveries. SQLite has one writer for all.
    """
    gate = CircuitGate(
        circuits=circuits,
        within=limits_gate,
        credentials=base.credentials,
        clock=base.clock,
        policy=base.settings.policy,
    )

    def writers(number: int) -> Changes:
        writer = Writer(database=base.database, queue=base.queue, gate=gate)
        return GroupCommit(write=writer.write, after_commit=partial(_ring, base), writers=number)

    if base.database.is_postgres:
        return writers(1), writers(2)
    shared = writers(1)
    return shared, shared


def _assemble(
    base: _Base,
    limits_gate: LimitsGate,
    circuits: Circuits,
    writer: GroupCommit[Plan, bool],
    changes: Changes,
    claims: Changes,
) -> App:
    catalogue = Catalogue(clients=base.clients, clock=base.clock)
    keys = _keys(base)
    creator = Creator(
        keys=keys,
        directory=base.directory,
        catalogue=catalogue,
        vault=base.vault,
        writer=writer,
        database=base.database,
        keep_keys=base.settings.keep_idempotency_keys,
        links=base.links,
    )
    return App(
        **base._asdict(),
        catalogue=catalogue,
        changes=changes,
        creator=creator,
        escalator=Escalator(
            database=base.database,
            creator=creator,
            directory=base.directory,
            vault=base.vault,
            clock=base.clock,
        ),
        circuits=circuits,
        sender=_sender(base, limits_gate, circuits, changes, claims),
        statuses=MessageStatuses(
            database=base.database,
            keys=keys,
            credentials=base.credentials,
            clients=base.clients,
            vault=base.vault,
        ),
        keys=keys,
        memberships=Memberships(database=base.database, vault=base.vault, clock=base.clock),
        callers=CallerLimits(
            database=base.database, clock=base.clock, calls_a_minute=base.settings.limits.calls_a_minute
        ),
    )


def _sender(
    base: _Base, limits_gate: LimitsGate, circuits: Circuits, changes: Changes, claims: Changes
) -> Sender:
    return Sender(
        claims=claims,
        changes=changes,
        credentials=base.credentials,
        directory=base.directory,
        clients=base.clients,
        vault=base.vault,
        limit_reached=limits_gate.reached,
        circuits=circuits,
        clock=base.clock,
        policy=base.settings.policy,
        links=base.links,
    )


def _keys(base: _Base) -> Keys:
    return Keys(
        directory=base.directory,
        credentials=base.credentials,
        vault=base.vault,
        raw_keys=base.settings.raw_notify_keys,
        notify_base_url=base.settings.notify_base_url,
    )
