"""The life of a POST: check in GOV.UK Notify's order, lay down the course, keep it, answer."""

import uuid
from typing import Any

from notify_rules.errors import InvalidPostalAddress
from notify_rules.postal_address import PostalAddress, address_lines, check_postal_address
from notify_rules.simulated import is_simulated
from notify_sandbox import content, course, files, schema, shapes
from notify_sandbox.authentication import Caller
from notify_sandbox.letters import Letters
from notify_sandbox.limits import INTERNATIONAL_TEXT, SendLimits
from notify_sandbox.model import Channel, Document, KeyType, Notification, Template
from notify_sandbox.problems import bad_request, internal
from notify_sandbox.recipients import as_problem, check_may_send_to, phone_number_for
from notify_sandbox.world import World

_PLURALS = {Channel.EMAIL: "emails", Channel.TEXT: "text messages", Channel.LETTER: "letters"}
Values = dict[str, object] | None


class Acceptance:
    """What takes messages in."""

    def __init__(self, world: World, *, limits: SendLimits, letters: Letters) -> None:
        self._world = world
        self._limits = limits
        self._letters = letters
        self.outcomes: dict[str, str] = {}

    async def post(self, kind: str, body: bytes, *, caller: Caller, base_url: str) -> dict[str, Any]:
        if kind == Channel.LETTER:
            return await self._post_letter(body, caller, base_url)
        if kind == Channel.EMAIL:
            return await self._post_email(body, caller, base_url)
        if kind == Channel.TEXT:
            return await self._post_text(body, caller, base_url)
        # Notify looks up the limits of a channel that it does not know, and falls over.
        self._limits.check_rate(caller.service, caller.key.key_type, now=self._world.now())
        raise internal("KeyError")

    async def _post_email(self, body: bytes, caller: Caller, base_url: str) -> dict[str, Any]:
        self._check_limits(caller, Channel.EMAIL)
        form = schema.EMAIL.check(schema.read_json(body))
        service, values = caller.service, form.get("personalisation")
        template = self._template(form["template_id"], values, channel=Channel.EMAIL, caller=caller)
        reply_to = _known_sender(
            service.reply_to, form.get("email_reply_to_id"), field="email_reply_to_id", service_id=service.id
        )
        to = form["email_address"]
        check_may_send_to(to, service=service, key_type=caller.key.key_type)
        simulated = is_simulated(to)
        values, documents = files.upload(
            values, service=service, recipient=to, simulated=simulated, base_url=base_url, world=self._world
        )
        sanitised = content.sanitise(values or {}, form.get("sanitise_content_for") or ())
        if values and sanitised:
            values = {**values, **{name: change["sanitised"] for name, change in sanitised.items()}}
        filled = content.fill(template.current, values, channel=Channel.EMAIL)
        content.check_length(filled, channel=Channel.EMAIL)
        sent = self._new(
            template, caller, to=to, values=values, reference=form.get("reference"), normalised_to=to.lower()
        )
        sent.reply_to = reply_to or next(iter(service.reply_to.values()), None)
        sent.unsubscribe_url = form.get("one_click_unsubscribe_url")
        sent.document_ids = [document.id for document in documents]
        sent.steps = course.of_email(
            at=sent.created_at, timing=self._world.timing, outcome=self._outcome(to, caller.key.key_type)
        )
        if not simulated:
            await self._keep(sent, *documents)
        return shapes.accepted_email(sent, filled, service=service, base_url=base_url, sanitised=sanitised)

    async def _post_text(self, body: bytes, caller: Caller, base_url: str) -> dict[str, Any]:
        self._check_limits(caller, Channel.TEXT)
        form = schema.TEXT.check(schema.read_json(body))
        service, key_type, values = caller.service, caller.key.key_type, form.get("personalisation")
        template = self._template(form["template_id"], values, channel=Channel.TEXT, caller=caller)
        sender = _known_sender(
            service.senders, form.get("sms_sender_id"), field="sms_sender_id", service_id=service.id
        )
        to = form["phone_number"]
        check_may_send_to(to, service=service, key_type=key_type)
        number = phone_number_for(to, service=service)
        if number.international:
            self._limits.check_day(service, key_type, kind=INTERNATIONAL_TEXT, now=self._world.now())
        filled = content.fill(template.current, values, channel=Channel.TEXT)
        content.check_length(filled, channel=Channel.TEXT)
        sent = self._new(
            template, caller, to=to, values=values, reference=form.get("reference"), normalised_to=number.e164
        )
        sent.international = number.international or number.crown_dependency
        sent.reply_to = sender or service.sender
        timing, at = self._world.timing, sent.created_at
        sent.steps = (
            course.of_text_abroad(at=at, timing=timing)
            if sent.international
            else course.of_text(at=at, timing=timing, outcome=self._outcome(number.e164, key_type))
        )
        if not is_simulated(number.e164):
            await self._keep(sent)
            if number.international:
                self._limits.count(service, key_type, kind=INTERNATIONAL_TEXT, now=at)
        return shapes.accepted_text(sent, filled, sender=sent.reply_to, base_url=base_url)

    async def _post_letter(self, body: bytes, caller: Caller, base_url: str) -> dict[str, Any]:
        read = schema.read_json(body)
        if isinstance(read, dict) and "content" in read:
            return await self._post_precompiled(read, caller)
        self._check_limits(caller, Channel.LETTER)
        form = schema.LETTER.check(read)
        values = form["personalisation"]
        template = self._template(form["template_id"], values, channel=Channel.LETTER, caller=caller)
        _check_may_send_letters(caller)
        address = _address(values, international="international_letters" in caller.service.permissions)
        filled = content.fill(template.current, values, channel=Channel.LETTER)
        sent = self._new(
            template,
            caller,
            to=", ".join(address.lines),
            values=values,
            reference=form.get("reference"),
            normalised_to="".join(address.lines).replace(" ", "").lower(),
        )
        sent.address = list(address.lines)
        sent.postage = str(address.zone) if address.country else template.current.postage
        fault = await self._letters.prepare(sent, filled, caller.service)
        sent.steps = course.of_letter(at=sent.created_at, timing=self._world.timing, fault=fault)
        await self._keep(sent)
        return shapes.accepted_letter(sent, filled, base_url=base_url)

    async def _post_precompiled(self, body: dict[str, Any], caller: Caller) -> dict[str, Any]:
        form = schema.PRECOMPILED.check(body)
        _check_permission(caller, Channel.LETTER)
        self._check_limits(caller, Channel.LETTER)
        _check_may_send_letters(caller)
        pdf = files.decode_base64(form["content"])
        if pdf is None:
            raise bad_request("Cannot decode letter content (invalid base64 encoding)")
        template = self._world.precompiled_template(caller.service.id)
        sent = self._new(
            template,
            caller,
            to="Provided as PDF",
            values=None,
            reference=form["reference"],
            normalised_to="providedaspdf",
        )
        sent.precompiled = True
        sent.postage = form.get("postage") or "second"
        found = await self._letters.inspect(sent, pdf, caller.service)
        sent.page_count, sent.validation_message = found.page_count, found.message
        sent.address = list(found.address) or None
        sent.steps = course.of_precompiled(
            at=sent.created_at, timing=self._world.timing, key_type=sent.key_type, fault=found.fault
        )
        await self._keep(sent)
        return shapes.accepted_precompiled(sent)

    def _check_limits(self, caller: Caller, channel: Channel) -> None:
        now = self._world.now()
        self._limits.check(caller.service, caller.key.key_type, kind=channel.value, now=now)

    def _template(self, template_id: str, values: Values, *, channel: Channel, caller: Caller) -> Template:
        _check_permission(caller, channel)
        template = self._world.service_template(caller.service.id, str(uuid.UUID(template_id)))
        if template is None or template.hidden:
            raise bad_request("Template not found")
        if template.channel is not channel:
            raise bad_request(f"{template.channel} template is not suitable for {channel} notification")
        if template.archived:
            raise bad_request("Template has been deleted")
        filled = content.fill(template.current, values, channel=channel)
        if channel is Channel.LETTER:
            content.check_qr_codes(filled.body)
        content.check_nothing_missing(template.current, values)
        content.check_not_empty(filled)
        if channel is not Channel.EMAIL and files.any_in(values):
            raise bad_request("Can only send a file by email")
        return template

    def _new(
        self,
        template: Template,
        caller: Caller,
        *,
        to: str,
        values: Values,
        reference: str | None,
        normalised_to: str,
    ) -> Notification:
        now = self._world.now()
        return Notification(
            id=str(uuid.uuid4()),
            position=self._world.next_position(),
            service_id=caller.service.id,
            key_id=caller.key.id,
            key_type=caller.key.key_type,
            channel=template.channel,
            template_id=template.id,
            template_version=template.current.version,
            to=to,
            normalised_to=normalised_to,
            created_at=now,
            steps=[(now, "created")],
            reference=reference,
            personalisation=values,
        )

    def _outcome(self, recipient: str, key_type: KeyType) -> str:
        return self.outcomes.get(recipient) or course.outcome_for(recipient, key_type)

    async def _keep(self, sent: Notification, *documents: Document) -> None:
        service = self._world.services[sent.service_id]
        sent.receipts = course.receipts_for(sent) if service.callback else []
        await self._world.keep_safely(sent, *documents)
        self._limits.count(service, sent.key_type, kind=sent.channel.value, now=sent.created_at)
        self._world.add(sent)


def _check_permission(caller: Caller, channel: Channel) -> None:
    if channel.value not in caller.service.permissions:
        raise bad_request(f"Service is not allowed to send {_PLURALS[channel]}")


def _check_may_send_letters(caller: Caller) -> None:
    if caller.key.key_type is KeyType.TEAM:
        raise bad_request("Cannot send letters with a team api key", status=403)
    if caller.service.trial_mode and caller.key.key_type is not KeyType.TEST:
        raise bad_request("Cannot send letters when service is in trial mode", status=403)


def _known_sender(known: dict[str, str], given: str | None, *, field: str, service_id: str) -> str | None:
    if not given:
        return None
    if given not in known:
        raise bad_request(f"{field} {given} does not exist in database for service id {service_id}")
    return known[given]


def _address(values: dict[str, object], *, international: bool) -> PostalAddress:
    try:
        return check_postal_address(address_lines(values), international=international)
    except InvalidPostalAddress as error:
        raise as_problem(error, field="") from None
