"""Everything that the sandbox knows, in memory, with the record behind it."""

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator

import msgspec

from notify_sandbox.keys import check_secret, new_secret, secret_from
from notify_sandbox.model import (
    ApiKey,
    Channel,
    Document,
    KeyType,
    Notification,
    ReceivedText,
    Service,
    Template,
    TemplateVersion,
)
from notify_sandbox.record import MemoryRecord, Record, Row
from notify_sandbox.seed import Seed, SeedKey, SeedService, SeedTemplate
from notify_sandbox.settings import Timing

Listener = Callable[[Notification], None]
PRECOMPILED_SUBJECT = "Pre-compiled PDF"
_pack = msgspec.msgpack.Encoder().encode


class World:
    def __init__(self, *, record: Record | None = None, timing: Timing | None = None) -> None:
        self.record: Record = record if record is not None else MemoryRecord()
        self.timing = timing or Timing()
        self.services: dict[str, Service] = {}
        self.templates: dict[str, Template] = {}
        self.notifications: dict[str, Notification] = {}
        self.received_texts: list[ReceivedText] = []
        self.listeners: set[Listener] = set()
        self.advanced = 0.0
        self._by_service: dict[str, list[Notification]] = {}
        self._by_reference: dict[tuple[str, str], list[Notification]] = {}
        self._position = 0

    def now(self) -> float:
        return time.time() + self.advanced

    # What is kept

    def restore(self) -> None:
        """Takes back what the record holds."""
        for _, data in self.record.load("service"):
            self._take_service(msgspec.msgpack.decode(data, type=Service))
        for _, data in self.record.load("template"):
            template = msgspec.msgpack.decode(data, type=Template)
            self.templates[template.id] = template
        for _, data in self.record.load("notification"):
            self._take(msgspec.msgpack.decode(data, type=Notification))
        for _, data in self.record.load("received_text"):
            self.received_texts.append(msgspec.msgpack.decode(data, type=ReceivedText))

    def keep(
        self, *things: Service | Template | Notification | Document | ReceivedText
    ) -> "asyncio.Future[None] | None":
        return self.record.save([Row(_kind(thing), thing.id, _pack(thing)) for thing in things])

    async def keep_safely(self, *things: Service | Template | Notification | Document | ReceivedText) -> None:
        """Returns when a crash can no longer take it away."""
        written = self.keep(*things)
        if written is not None:
            await asyncio.shield(written)

    # Messages

    def next_position(self) -> int:
        self._position += 1
        return self._position

    def add(self, notification: Notification) -> None:
        self._take(notification)
        self.tell(notification)

    def tell(self, notification: Notification) -> None:
        for listener in tuple(self.listeners):
            listener(notification)

    def find(self, service_id: str, notification_id: str) -> Notification | None:
        """One message of a service, as long as it is kept."""
        found = self.notifications.get(notification_id)
        if found is None or found.service_id != service_id or not self._is_kept(found):
            return None
        return found

    def newest_first(
        self, service_id: str, *, reference: str | None = None, before: str | None = None
    ) -> Iterator[Notification]:
        """A service's messages; `before` is the id of one whose elders alone are wanted."""
        everything = (
            self._by_service.get(service_id, [])
            if reference is None
            else self._by_reference.get((service_id, reference), [])
        )
        limit: int | None = None
        if before is not None:
            known = self.find(service_id, before)
            if known is None:
                return
            limit = known.position
        for notification in reversed(everything):
            if not self._is_kept(notification):
                return
            if limit is None or notification.position < limit:
                yield notification

    def forget_expired(self) -> int:
        """Drops what is past its retention; returns how many."""
        gone = [one for one in self.notifications.values() if not self._is_kept(one)]
        for one in gone:
            self._drop(one)
        if gone:
            self.record.save([Row("notification", one.id, None) for one in gone])
            self.record.save([Row("letter", one.id, None) for one in gone if one.channel is Channel.LETTER])
        return len(gone)

    def forget_messages(self) -> None:
        gone = list(self.notifications)
        for held in (self.notifications, self._by_service, self._by_reference):
            held.clear()
        self.record.save([Row(kind, one, None) for one in gone for kind in ("notification", "letter")])

    def _take(self, notification: Notification) -> None:
        self.notifications[notification.id] = notification
        self._position = max(self._position, notification.position)
        self._by_service.setdefault(notification.service_id, []).append(notification)
        if notification.reference is not None:
            key = (notification.service_id, notification.reference)
            self._by_reference.setdefault(key, []).append(notification)

    def _drop(self, notification: Notification) -> None:
        self.notifications.pop(notification.id, None)
        self._by_service[notification.service_id].remove(notification)
        if notification.reference is not None:
            key = (notification.service_id, notification.reference)
            self._by_reference[key].remove(notification)

    def _is_kept(self, notification: Notification) -> bool:
        days = self.services[notification.service_id].retention_days
        return notification.created_at >= self.now() - days * 86_400

    # Services and templates

    def service_template(self, service_id: str, template_id: str) -> Template | None:
        found = self.templates.get(template_id)
        return found if found is not None and found.service_id == service_id else None

    def templates_of(self, service_id: str) -> list[Template]:
        """Those that a service would see, by name."""
        seen = [t for t in self.templates.values() if t.service_id == service_id and not t.hidden]
        return sorted(seen, key=lambda template: (template.current.name, template.channel))

    def precompiled_template(self, service_id: str) -> Template:
        """The hidden template that every letter handed over as PDF has."""
        for template in self.templates.values():
            if template.service_id == service_id and template.hidden:
                return template
        version = TemplateVersion(
            version=1,
            name=PRECOMPILED_SUBJECT,
            subject=PRECOMPILED_SUBJECT,
            body="",
            created_at=self.now(),
            postage="second",
        )
        template = Template(
            id=str(uuid.uuid4()),
            service_id=service_id,
            channel=Channel.LETTER,
            versions=[version],
            hidden=True,
        )
        self.templates[template.id] = template
        self.keep(template)
        return template

    def mint_key(self, service: Service, *, name: str, key_type: KeyType) -> ApiKey:
        key = ApiKey(
            id=str(uuid.uuid4()), name=name, secret=new_secret(), key_type=key_type, created_at=self.now()
        )
        service.keys.append(key)
        return key

    def sow(self, seed: Seed) -> None:
        """Brings in what a seed describes. It holds for services; keys and messages that are there stay."""
        for described in seed.services:
            service = self._sow_service(described)
            for template in described.templates:
                self._sow_template(described, template)
            self.keep(service)

    def _sow_service(self, described: SeedService) -> Service:
        known = self.services.get(described.service_id)
        service = Service(
            id=described.service_id,
            name=described.name,
            email_from=described.email_from or described.name.lower().replace(" ", "."),
            keys=known.keys if known else [],
            active=described.active,
            trial_mode=described.trial_mode,
            permissions=described.permissions,
            limits=described.limits,
            team=described.team,
            guest_list=described.guest_list,
            contact_link=described.contact_link,
            reply_to=described.reply_to,
            senders=described.senders,
            sender=described.sender,
            text_prefix=described.text_prefix,
            callback=described.callback,
            letter_contact=described.letter_contact,
            retention_days=described.retention_days,
        )
        for key in described.keys:
            self._sow_key(service, key)
        self._take_service(service)
        return service

    def _sow_key(self, service: Service, described: SeedKey) -> None:
        secret = described.secret or secret_from(f"{service.id}/{described.name}/{described.type}")
        if any(key.secret == secret for key in service.keys):
            return
        now = self.now()
        service.keys.append(
            ApiKey(
                id=str(uuid.uuid4()),
                name=described.name,
                secret=check_secret(secret),
                key_type=described.type,
                created_at=now,
                revoked_at=now if described.revoked else None,
            )
        )

    def _sow_template(self, service: SeedService, described: SeedTemplate) -> None:
        template_id = service.template_id(described)
        source = msgspec.json.encode(described).decode()
        known = self.templates.get(template_id)
        if known is not None and known.seeded_as == source:
            return
        version = TemplateVersion(
            version=len(known.versions) + 1 if known else 1,
            name=described.name or described.alias,
            subject=described.subject,
            body=described.body,
            created_at=self.now(),
            postage=described.postage or ("second" if described.type is Channel.LETTER else None),
            letter_contact=service.letter_contact,
        )
        template = Template(
            id=template_id,
            service_id=service.service_id,
            channel=described.type,
            versions=[*known.versions, version] if known else [version],
            created_by=service.created_by,
            archived=described.archived,
            alias=described.alias,
            seeded_as=source,
        )
        self.templates[template_id] = template
        self.keep(template)

    def _take_service(self, service: Service) -> None:
        self.services[service.id] = service


def _kind(thing: Service | Template | Notification | Document | ReceivedText) -> str:
    match thing:
        case Service():
            return "service"
        case Template():
            return "template"
        case Notification():
            return "notification"
        case Document():
            return "document"
        case ReceivedText():
            return "received_text"
