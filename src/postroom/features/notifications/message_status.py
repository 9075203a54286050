"""What the provider knows of one message, asked by its id, by ours, or by the notification's."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row

from postroom.channels.carriers import CARRIERS
from postroom.channels.govuk_notify import NotifyClients, NotifyMessage, asked_for_a_caller
from postroom.channels.govuk_notify.answers import TemplateRef
from postroom.domain.caller import ServiceCaller
from postroom.domain.channel import CARRIED, Channel, from_mask
from postroom.domain.errors import NotFound
from postroom.domain.masking import mask_email, mask_number, mask_text
from postroom.domain.notification import Personal
from postroom.domain.status import WAITING, Status
from postroom.features.notifications import store
from postroom.features.notifications.seal import personal_if_it_opens
from postroom.features.notifications.visibility import readable_by
from postroom.features.services import Credential, Credentials, Keys
from postroom.features.services.names import is_notify_key
from postroom.kit.crypto import Vault
from postroom.kit.database import AsyncConnection, Database


class MessageStatuses:
    """Looks up message statuses for a service, with its own key or with one that stands in the path."""

    def __init__(
        self,
        *,
        database: Database,
        keys: Keys,
        credentials: Credentials,
        clients: NotifyClients,
        vault: Vault,
    ) -> None:
        self._database = database
        self._keys = keys
        self._credentials = credentials
        self._clients = clients
        self._vault = vault

    async def get(self, message_id: str, *, service: str, caller: ServiceCaller) -> NotifyMessage:
        """The message; NotFound, Forbidden, ProviderRefusedKey, or Busy where there is no answer.

        Another service's message is known by its notification's id alone, to whom a grant lets read it.
        """
        message, owner_id = await self._look_up(message_id, service=service, caller=caller)
        if owner_id == caller.service_id:
            return message
        grant = caller.grant_of(owner_id)
        return message if grant is not None and grant.with_personal_data else _masked(message)

    async def _look_up(
        self, message_id: str, *, service: str, caller: ServiceCaller
    ) -> tuple[NotifyMessage, str]:
        """The message, and whose it is."""
        of_another = any(grant.owner == service for grant in caller.grants)
        credential = (
            None if of_another else await self._keys.to_read_with(service, service_id=caller.service_id)
        )
        async with self._database.reading() as conn:
            row = await self._delivery(conn, message_id, caller)
            if row is not None and (row.notify_id is None or row.reason == "simulated"):
                return await self._own_answer(conn, row), row.service_id
        if row is not None and not is_notify_key(service):
            credential = await self._credentials.get(row.credential_id) or credential
        if credential is None:
            raise NotFound(
                "There is no such notification." if of_another else "This service has no GOV.UK Notify key."
            )
        message = await self._ask(credential, message_id if row is None else row.notify_id)
        if row is not None:
            return await self._with_ours(message, row), row.service_id
        if message is None:
            raise NotFound("GOV.UK Notify does not know this message.")
        return message, caller.service_id

    async def _with_ours(self, message: NotifyMessage | None, row: Row[Any]) -> NotifyMessage:
        """What the provider said, and what we alone know."""
        if message is not None and row.channel != Channel.LETTER:
            return message
        async with self._database.reading() as conn:
            ours = await self._own_answer(conn, row)
        # Notify answers with six lines of the seven that it takes.
        return ours if message is None else msgspec.structs.replace(message, line_7=ours.line_7)

    async def _ask(self, credential: Credential, notify_id: str) -> NotifyMessage | None:
        client = self._clients.of(base_url=credential.base_url, key=credential.key)
        with asked_for_a_caller():
            return await client.notification(notify_id)

    async def _delivery(
        self, conn: AsyncConnection, message_id: str, caller: ServiceCaller
    ) -> Row[Any] | None:
        row = await store.delivery(conn, message_id, service_id=caller.service_id)
        if row is None:
            row = await store.delivery_by_notify_id(conn, message_id, service_id=caller.service_id)
        if row is not None:
            return row
        notification = await store.notification(conn, message_id, visible=readable_by(caller, self._vault))
        if notification is None:
            return None
        deliveries = {row.channel: row for row in await store.deliveries_of(conn, [message_id])}
        for channel in CARRIED:
            if channel in deliveries:
                return deliveries[channel]
        kinds = ",".join(from_mask(notification.channels))
        raise NotFound(f"A {kinds} notification is not sent anywhere.", reason="screen-only")

    async def _own_answer(self, conn: AsyncConnection, row: Row[Any]) -> NotifyMessage:
        """What we know of a message that the provider has not yet, or never kept."""
        found = await store.personal_of(conn, row.notification_id)
        sealed = None if found is None else found.personal
        personal = personal_if_it_opens(self._vault, row.notification_id, sealed) or Personal()
        channel = Channel(row.channel)
        lines = _lines(channel, personal)
        return NotifyMessage(
            id=row.notify_id or row.id,
            status="created" if Status(row.status) in WAITING else row.status,
            type=CARRIERS[channel].notify_type,
            template=TemplateRef(id=row.template_id),
            reference=row.id,
            email_address=personal.email if channel is Channel.EMAIL else None,
            phone_number=personal.mobile_number if channel is Channel.TEXT else None,
            sent_at=_moment(row.sent_at),
            completed_at=_moment(row.completed_at),
            **lines,
        )


def _masked(message: NotifyMessage) -> NotifyMessage:
    lines = {f"line_{number}": mask_text(getattr(message, f"line_{number}")) for number in range(1, 8)}
    return msgspec.structs.replace(
        message,
        email_address=None if message.email_address is None else mask_email(message.email_address),
        phone_number=None if message.phone_number is None else mask_number(message.phone_number),
        subject=mask_text(message.subject),
        body=mask_text(message.body),
        postcode=mask_text(message.postcode),
        created_by_name=mask_text(message.created_by_name),
        **lines,
    )


def _lines(channel: Channel, personal: Personal) -> dict[str, Any]:
    if channel is not Channel.LETTER:
        return {}
    values = CARRIERS[channel].personalisation(personal, prepend_name=False)
    return {f"line_{number}": values.get(f"address_line_{number}") for number in range(1, 8)}


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
