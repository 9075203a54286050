"""The levers of a sandbox: what its own API, its pages and tests may do to it."""

import uuid
from collections.abc import Callable, Iterator

from msgspec import Struct

from notify_sandbox import content, course, shapes
from notify_sandbox.accept import Acceptance
from notify_sandbox.faults import Faults
from notify_sandbox.keys import written_out
from notify_sandbox.model import (
    ApiKey,
    Callback,
    Channel,
    KeyType,
    Limits,
    Notification,
    ReceiptState,
    ReceivedText,
    Service,
    Template,
    TemplateVersion,
)
from notify_sandbox.receipts import Receipts
from notify_sandbox.seed import Seed, SeedService, SeedTemplate
from notify_sandbox.world import World


class UnknownError(KeyError):
    """There is nothing of that id."""


class Sent(Struct, frozen=True, rename="camel"):
    """One message as its sender and its recipient see it."""

    id: str
    channel: str
    to: str
    reference: str | None
    status: str
    subject: str | None
    body: str
    template_id: str
    template_version: int
    personalisation: dict[str, object]
    key_type: str
    service_id: str
    created_at: str


class Edit(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What changes of a template; what is left out stays."""

    name: str | None = None
    subject: str | None = None
    body: str | None = None
    postage: str | None = None


class Controls:
    def __init__(self, world: World, *, acceptance: Acceptance, receipts: Receipts, faults: Faults) -> None:
        self.world = world
        self.acceptance = acceptance
        self.receipts = receipts
        self.faults = faults
        self.stop_listening: Callable[[float], None] | None = None

    # Messages

    def sent(self, *, to: str | None = None, reference: str | None = None) -> Iterator[Sent]:
        """What was accepted, oldest first."""
        for one in tuple(self.world.notifications.values()):
            if to in (None, one.to) and reference in (None, one.reference):
                yield self.as_sent(one)

    def as_sent(self, one: Notification) -> Sent:
        version = self.version_of(one)
        filled = content.of(one, version)
        return Sent(
            id=one.id,
            channel=one.channel.value,
            to=one.to,
            reference=one.reference,
            status=shapes.shown_status(one, self.world.now()),
            subject=filled.subject,
            body=filled.body,
            template_id=one.template_id,
            template_version=one.template_version,
            personalisation=one.personalisation or {},
            key_type=one.key_type.value,
            service_id=one.service_id,
            created_at=shapes.moment(one.created_at),
        )

    def version_of(self, one: Notification) -> TemplateVersion:
        version = self.world.templates[one.template_id].at(one.template_version)
        assert version is not None
        return version

    def message(self, notification_id: str) -> Notification:
        found = self.world.notifications.get(notification_id)
        if found is None:
            raise UnknownError(notification_id)
        return found

    def settle(self, notification_id: str, status: str) -> None:
        """Ends a message now, and has its receipt sent."""
        sent = self.message(notification_id)
        course.end(sent, status, now=self.world.now())
        sent.receipts = [receipt for receipt in sent.receipts if receipt.finished is not None]
        if self.world.services[sent.service_id].callback:
            sent.receipts += course.receipts_for(sent)
        self._changed(sent)

    def settle_later(self, notification_id: str, status: str, *, seconds: float) -> None:
        """Ends a message once more after a while, with a receipt of its own: a late bounce."""
        sent = self.message(notification_id)
        at = self.world.now() + seconds
        course.end_later(sent, status, at=at)
        if self.world.services[sent.service_id].callback:
            sent.receipts.append(ReceiptState(due_at=at, status=status))
        self._changed(sent)

    def send_receipt_again(self, notification_id: str) -> None:
        """Posts the receipt of a message once more, as Notify sometimes does."""
        sent = self.message(notification_id)
        now = self.world.now()
        sent.receipts.append(ReceiptState(due_at=now, status=sent.status(now)))
        self._changed(sent)

    def spoil_receipt(self, notification_id: str, fault: str | None) -> None:
        """How the next receipt of this message goes wrong."""
        sent = self.message(notification_id)
        sent.receipt_fault = fault
        self._changed(sent)

    def end_as(self, recipient: str, status: str) -> None:
        """Later messages to this address or number (+447…) end so."""
        self.acceptance.outcomes[recipient] = status

    def receive_text(self, service: Service, *, sender: str, text: str) -> ReceivedText:
        """A text from a resident to a service."""
        received = ReceivedText(
            id=str(uuid.uuid4()),
            service_id=service.id,
            user_number=sender,
            notify_number=service.sender,
            content=text,
            created_at=self.world.now(),
        )
        self.world.received_texts.append(received)
        self.world.keep(received)
        return received

    def refuse_connections(self, seconds: float) -> None:
        """Nobody listens for so long: connections are refused, and open ones cut."""
        if self.stop_listening is not None:
            self.stop_listening(seconds)

    def advance(self, seconds: float) -> None:
        """Moves the clock on."""
        self.world.advanced += seconds
        self.receipts.hurry()

    # Services

    def service(self, service_id: str) -> Service:
        found = self.world.services.get(service_id)
        if found is None:
            raise UnknownError(service_id)
        return found

    def add_service(self, described: SeedService) -> Service:
        self.world.sow(Seed(services=[described]))
        return self.world.services[described.service_id]

    def mint_key(self, service: Service, *, name: str, key_type: KeyType) -> str:
        """A new key, as its owner writes it."""
        key = self.world.mint_key(service, name=name, key_type=key_type)
        self.world.keep(service)
        return written_out(name=key.name, service_id=service.id, secret=key.secret)

    def revoke(self, service: Service, key: ApiKey) -> None:
        key.revoked_at = self.world.now()
        self.world.keep(service)

    def call_back(self, service: Service, callback: Callback | None) -> None:
        service.callback = callback
        self.world.keep(service)

    def limit(self, service: Service, limits: Limits) -> None:
        service.limits = limits
        self.world.keep(service)

    # Templates

    def template(self, template_id: str) -> Template:
        found = self.world.templates.get(template_id)
        if found is None or found.hidden:
            raise UnknownError(template_id)
        return found

    def add_template(self, service: Service, described: SeedTemplate) -> Template:
        template = Template(
            id=described.id or str(uuid.uuid4()),
            service_id=service.id,
            channel=described.type,
            versions=[
                TemplateVersion(
                    version=1,
                    name=described.name or described.alias,
                    subject=None if described.type is Channel.TEXT else described.subject or "",
                    body=described.body,
                    created_at=self.world.now(),
                    postage=described.postage or ("second" if described.type is Channel.LETTER else None),
                    letter_contact=service.letter_contact,
                )
            ],
            alias=described.alias,
        )
        self.world.templates[template.id] = template
        self.world.keep(template)
        return template

    def edit_template(self, template: Template, edit: Edit) -> TemplateVersion:
        """A new version; messages that were sent keep theirs."""
        current = template.current
        version = TemplateVersion(
            version=current.version + 1,
            name=edit.name or current.name,
            subject=current.subject if edit.subject is None else edit.subject,
            body=current.body if edit.body is None else edit.body,
            created_at=self.world.now(),
            postage=edit.postage or current.postage,
            letter_contact=current.letter_contact,
        )
        template.versions.append(version)
        self.world.keep(template)
        return version

    def archive_template(self, template: Template) -> None:
        template.archived = True
        self.world.keep(template)

    def _changed(self, sent: Notification) -> None:
        self.world.keep(sent)
        self.world.tell(sent)
