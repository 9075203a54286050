"""What one accepted request writes: made before the transaction, written in one with others'."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from postroom.channels.carriers import CARRIERS
from postroom.domain.channel import Channel, to_mask
from postroom.domain.lane import Lane
from postroom.domain.notification import Delivery, Notification
from postroom.features import audit, readers, screens, webhooks
from postroom.features.notifications import store
from postroom.features.notifications.ending import Thread, replace_earlier
from postroom.features.notifications.escalation import add_steps
from postroom.features.notifications.idempotency import take_keys
from postroom.features.notifications.seal import audience_index, seal_personal
from postroom.features.notifications.terms import add_terms
from postroom.features.services import Credential, RegisteredService
from postroom.features.services.credentials import keep
from postroom.kit.crypto import Vault
from postroom.kit.database import AsyncConnection, Batch, Database
from postroom.kit.queue import Job, JobQueue


@dataclass(frozen=True, slots=True)
class Plan:
    """All that one accepted request writes. `raw_key` is kept with it where it came with the request."""

    notification: Mapping[str, Any]
    deliveries: Sequence[Mapping[str, Any]]
    audit_entry: audit.Entry
    raw_key: Credential | None = None
    once: Mapping[str, Any] | None = None
    steps: Sequence[dict[str, Any]] = ()
    """Of its escalation."""
    terms: Mapping[str, Any] | None = None
    """How long it stays on screens, where that is said."""

    @property
    def thread(self) -> Thread | None:
        """The thread in which it takes the place of what came before."""
        if self.terms is None or self.terms["thread_key"] is None or self.terms["audience"] is None:
            return None
        return self.terms["service_id"], self.terms["audience"], self.terms["thread_key"]


def make_plan(
    notification: Notification,
    *,
    service: RegisteredService,
    credential: Credential | None,
    is_raw: bool,
    lane: Lane,
    correlation_id: str | None,
    once: Mapping[str, Any] | None,
    vault: Vault,
) -> Plan:
    """The rows of a notification. `is_raw` has the credential kept, which came with the request."""
    return Plan(
        notification=_row(notification, service, correlation_id, vault),
        deliveries=[
            _delivery_row(each, notification, service, credential, lane, vault)
            for each in notification.deliveries
        ],
        audit_entry=audit.Entry(
            kind=audit.Kind.ACCEPTED,
            at=notification.created_at,
            notification_id=notification.id,
            service_id=service.id,
            correlation_id=correlation_id,
        ),
        raw_key=credential if is_raw else None,
        once=once,
    )


async def write_plans(
    every: Sequence[Plan], *, database: Database, vault: Vault, queue: JobQueue
) -> list[bool]:
    """Write accepted requests, all of each, in one transaction; whether each was written.

    One whose idempotency key is taken is not.
    """
    if all(plan.once is None and plan.raw_key is None and plan.terms is None for plan in every):
        # Nothing is asked of the database before, nor waited for: all goes in one round trip.
        await database.write(_batch(database, every, vault=vault, queue=queue))
        return [True] * len(every)
    async with database.transaction() as conn:
        written = await _not_yet_made(conn, every)
        plans = [plan for plan, is_new in zip(every, written, strict=True) if is_new]
        await _keep_raw_keys(conn, plans, vault=vault)
        for some in _one_of_each_thread(plans):
            await _take_places(conn, some, vault=vault)
            await _batch(database, some, vault=vault, queue=queue).run(conn)
    return written


def _one_of_each_thread(plans: Sequence[Plan]) -> list[list[Plan]]:
    """The plans in their order: where two are of one thread, the later comes after the earlier is there."""
    parts: list[list[Plan]] = [[]]
    threads: set[Thread] = set()
    for plan in plans:
        thread = plan.thread
        if thread in threads:
            parts.append([])
            threads.clear()
        if thread is not None:
            threads.add(thread)
        parts[-1].append(plan)
    return parts


async def _take_places(conn: AsyncConnection, plans: Sequence[Plan], *, vault: Vault) -> None:
    """What these are the later ones of goes from screens."""
    later = {plan.thread: plan.audit_entry.notification_id for plan in plans if plan.thread is not None}
    if later:
        now = max(plan.audit_entry.at for plan in plans)
        await replace_earlier(conn, later, vault=vault, now=now)


async def _not_yet_made(conn: AsyncConnection, plans: Sequence[Plan]) -> list[bool]:
    keyed = [plan.once for plan in plans if plan.once is not None]
    if not keyed:
        return [True] * len(plans)
    taken = await take_keys(conn, keyed, now=max(plan.audit_entry.at for plan in plans))
    written = []
    for plan in plans:
        key = None if plan.once is None else (plan.once["service_id"], plan.once["key"])
        written.append(key is None or key in taken)
        # The same key twice in one transaction: the first has it.
        taken.discard(key or ("", b""))
    return written


async def _keep_raw_keys(conn: AsyncConnection, plans: Sequence[Plan], *, vault: Vault) -> None:
    for plan in plans:
        if plan.raw_key is not None:
            await keep(
                conn,
                vault=vault,
                service_id=plan.audit_entry.service_id,
                key=plan.raw_key.key,
                base_url=plan.raw_key.base_url,
                is_raw=True,
                now=plan.audit_entry.at,
            )


def _batch(database: Database, plans: Sequence[Plan], *, vault: Vault, queue: JobQueue) -> Batch:
    batch = database.batch()
    deliveries = [row for plan in plans for row in plan.deliveries]
    store.add_notifications(batch, [plan.notification for plan in plans])
    store.add_deliveries(batch, deliveries)
    audit.add_accepted(batch, [plan.audit_entry for plan in plans])
    webhooks.add_created(batch, [_created(plan.audit_entry) for plan in plans])
    shown = [plan for plan in plans if plan.notification["audience"]]
    screens.add(batch, [_appeared(plan) for plan in shown])
    readers.add_new(
        batch, [(plan.notification["audience"], plan.notification["require_action"]) for plan in shown]
    )
    add_terms(batch, [plan.terms for plan in plans if plan.terms is not None])
    add_steps(batch, [row for plan in plans for row in plan.steps])
    queue.add(batch, [Job(row["id"], row["due_at"], row["lane"]) for row in deliveries])
    return batch


def _created(entry: audit.Entry) -> webhooks.Created:
    return webhooks.Created(entry.at, entry.service_id, entry.notification_id)


def _appeared(plan: Plan) -> screens.Change:
    return screens.changed(
        screens.Kind.NEW,
        screen=plan.notification["audience"],
        at=plan.audit_entry.at,
        notification_id=plan.audit_entry.notification_id,
    )


def _row(
    notification: Notification, service: RegisteredService, correlation_id: str | None, vault: Vault
) -> dict[str, Any]:
    personal = notification.personal
    audience = personal.user
    if audience is None and Channel.SCREEN in notification.channels and service.default_group is not None:
        audience = f"group:{service.default_group}"
    return {
        "id": notification.id,
        "service_id": service.id,
        "target_id": notification.target_id,
        "target_type": notification.target_type,
        "channels": to_mask(notification.channels),
        "extra_channels": to_mask(notification.extra_channels),
        "reference": notification.reference,
        "audience": None if audience is None else audience_index(vault, audience),
        "template_id": notification.template_id,
        "template_ids": msgspec.json.encode(notification.template_ids).decode(),
        "template_unchecked": notification.template_unchecked,
        "require_action": notification.require_action,
        "personal": seal_personal(vault, notification.id, personal),
        "email_index": None
        if personal.email is None
        else vault.blind_index(personal.email.lower(), purpose="email"),
        "mobile_index": None
        if personal.mobile_number is None
        else vault.blind_index(_digits(personal.mobile_number), purpose="mobile"),
        "correlation_id": correlation_id,
        "created_at": notification.created_at,
    }


def _digits(number: str) -> str:
    return "".join(character for character in number if character.isdigit())


def _delivery_row(
    delivery: Delivery,
    notification: Notification,
    service: RegisteredService,
    credential: Credential | None,
    lane: Lane,
    vault: Vault,
) -> dict[str, Any]:
    if credential is None:
        raise AssertionError("a delivery is only planned with a key to send it with")
    template_id = notification.template_ids[delivery.channel]
    personal = notification.personal
    recipient = CARRIERS[delivery.channel].recipient(personal, prepend_name=service.prepend_name)
    says = None
    if delivery.channel is Channel.TEXT:
        values = msgspec.json.encode(personal.personalisation, order="sorted").decode()
        says = vault.blind_index(f"{template_id} {values}", purpose="content")
    return {
        "id": delivery.id,
        "notification_id": notification.id,
        "service_id": notification.service_id,
        "credential_id": credential.id,
        "channel": delivery.channel.value,
        "template_id": template_id,
        "created_at": notification.created_at,
        "due_at": notification.created_at,
        "recipient_index": vault.blind_index(recipient.text, purpose="recipient"),
        "content_index": says,
        "international": recipient.international,
        "lane": lane.value,
        "template_version": delivery.template_version,
    }
