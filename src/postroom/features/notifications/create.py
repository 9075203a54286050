"""The one way in: a request becomes a notification, its deliveries, an audit entry and jobs, or nothing."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import msgspec

from notify_rules.placeholders import normalise_name
from postroom.channels.carriers import CARRIERS
from postroom.channels.govuk_notify import NotifyRefusedKey
from postroom.channels.plain_values import has_web_address
from postroom.domain import target_type
from postroom.domain.caller import ServiceCaller
from postroom.domain.channel import Channel
from postroom.domain.errors import FieldError, Forbidden, InFlight, Invalid
from postroom.domain.lane import Lane
from postroom.domain.notification import Delivery, Notification
from postroom.domain.status import Status
from postroom.features.notifications.escalation import rows_of
from postroom.features.notifications.follow_on import FollowOnLinks, check_follow_on
from postroom.features.notifications.idempotency import Once, replay
from postroom.features.notifications.plan import Plan, make_plan
from postroom.features.notifications.request import EscalationStep, NewNotification, check_fields
from postroom.features.notifications.terms import row_of
from postroom.features.services import Credential, Directory, Keys, RegisteredService
from postroom.features.templates import Catalogue, check_discreet, check_template
from postroom.kit.crypto import Vault
from postroom.kit.database import Database, GroupCommit, LockTimeout
from postroom.kit.ids import is_id, new_id


@dataclass(frozen=True, slots=True)
class Created:
    """What a request made, or had made when it first came."""

    notification: Notification
    replayed: bool


class Creator:
    """Decides on requests, and has what is accepted written."""

    def __init__(
        self,
        *,
        keys: Keys,
        directory: Directory,
        catalogue: Catalogue,
        vault: Vault,
        writer: GroupCommit[Plan, bool],
        database: Database,
        keep_keys: timedelta,
        links: FollowOnLinks,
    ) -> None:
        self._links = links
        self._database = database
        self._keep_keys = keep_keys
        self._keys = keys
        self._directory = directory
        self._catalogue = catalogue
        self._vault = vault
        self._writer = writer

    async def create(
        self,
        new: NewNotification,
        *,
        caller: ServiceCaller,
        now: datetime,
        faults: Sequence[FieldError] = (),
        once: Once | None = None,
        lane: Lane = Lane.SINGLE,
    ) -> Created:
        """Accept the request, durably, or raise Invalid with every field at fault, or Forbidden.

        `faults` were found while the request was read; their fields are not judged again. A request that
        is to count `once` and was accepted before is answered as it was then; KeyMisused or InFlight
        otherwise. In the bulk `lane` it gives way to what came alone.
        """
        if once is not None and not faults:
            known = await self.made_before([once], caller=caller, now=now)
            if once.key in known:
                return Created(known[once.key], replayed=True)
        return await self.create_new(new, caller=caller, now=now, faults=faults, once=once, lane=lane)

    async def made_before(
        self, every: Collection[Once], *, caller: ServiceCaller, now: datetime
    ) -> dict[str, Notification]:
        """What requests with these keys made before, by key; KeyMisused where one said something else."""
        async with self._database.reading() as conn:
            return await replay(conn, every, caller=caller, vault=self._vault, now=now)

    async def create_new(
        self,
        new: NewNotification,
        *,
        caller: ServiceCaller,
        now: datetime,
        faults: Sequence[FieldError] = (),
        once: Once | None = None,
        lane: Lane = Lane.SINGLE,
    ) -> Created:
        """As `create`, for a request whose key is not known; where that was too late, it is found by now."""
        judged = await self._judge(new, caller=caller, now=now, faults=faults)
        notification, service, credential = judged
        plan = make_plan(
            notification,
            service=service,
            credential=credential,
            is_raw=credential is not None and new.service_key != service.name,
            lane=lane,
            correlation_id=new.correlation_id,
            once=None
            if once is None
            else once.row(vault=self._vault, notification=notification, keep=self._keep_keys),
            vault=self._vault,
        )
        if new.escalation:
            plan = replace(plan, steps=rows_of(new, notification, vault=self._vault))
        if new.thread_key is not None or new.expires_at is not None:
            plan = replace(plan, terms=row_of(notification, plan.notification["audience"]))
        return await self._write(plan, notification, once, caller)

    async def check(
        self,
        new: NewNotification,
        *,
        caller: ServiceCaller,
        now: datetime,
        faults: Sequence[FieldError] = (),
    ) -> Notification:
        """What `create` would make of the request, judged in the same way; nothing is kept or sent."""
        return (await self._judge(new, caller=caller, now=now, faults=faults)).notification

    async def _judge(
        self, new: NewNotification, *, caller: ServiceCaller, now: datetime, faults: Sequence[FieldError]
    ) -> "_Judged":
        """All that is decided before anything is written; Invalid with every field at fault."""
        service = await self._directory.by_id(caller.service_id)
        if service is None:
            raise Forbidden("The service of this key is registered no longer.")
        errors = check_fields(new, prepend_name=service.prepend_name)
        if service.trusted_params:
            new = msgspec.structs.replace(new, trusted=(*new.trusted, *service.trusted_params))
        if new.follow_on is not None:
            errors += check_follow_on(new.follow_on, hosts=service.link_hosts)
        if new.expires_at is not None and new.expires_at <= now:
            errors.append(FieldError("expiresAt", "Use a time that is still to come."))
        credential = await self._credential(new, service, errors)
        templates = _resolve_templates(new, service, errors)
        checked = await self._check_templates(new, service, credential, templates, errors)
        for step in new.escalation:
            errors += await self._faults_of(step, service, caller=caller, now=now)
        first_of_each = {error.field: error for error in reversed((*faults, *errors))}
        if first_of_each:
            raise Invalid(tuple(reversed(first_of_each.values())))
        return _Judged(_notification(new, service, templates, checked, now), service, credential)

    async def _faults_of(
        self, step: EscalationStep, service: RegisteredService, *, caller: ServiceCaller, now: datetime
    ) -> list[FieldError]:
        """Every fault of what a step would make, at its place in the body."""
        request = step.request
        if request.carried and request.service_key not in (None, service.name):
            words = "Send the name of your service as serviceKey: a key is not kept for so long."
            return [FieldError(step.place, words)]
        try:
            await self._judge(request, caller=caller, now=now, faults=())
        except Invalid as invalid:
            return [FieldError(step.place_of(fault.field), fault.message) for fault in invalid.errors]
        return []

    async def _write(
        self, plan: Plan, notification: Notification, once: Once | None, caller: ServiceCaller
    ) -> Created:
        """Have the plan written; where another request was faster with the same key, its notification."""
        try:
            written = await self._writer.submit(plan)
        except LockTimeout:
            raise InFlight("The same request is being worked on.") from None
        if written:
            return Created(notification, replayed=False)
        known = {}
        if once is not None:
            known = await self.made_before([once], caller=caller, now=notification.created_at)
        if once is None or once.key not in known:
            raise InFlight("The same request is being worked on.")
        return Created(known[once.key], replayed=True)

    async def _credential(
        self, new: NewNotification, service: RegisteredService, errors: list[FieldError]
    ) -> Credential | None:
        """The key to send with, None where nothing is sent or there is none."""
        if new.service_key is None:
            return None
        if not new.carried:
            # Nothing is carried anywhere: what stands there is not needed, so only its owner is checked.
            await self._keys.check_own(new.service_key, service)
            return None
        try:
            return await self._keys.to_send_with(new.service_key, service)
        except Invalid as invalid:
            errors += invalid.errors
            return None

    async def _check_templates(
        self,
        new: NewNotification,
        service: RegisteredService,
        credential: Credential | None,
        templates: Mapping[Channel, str],
        errors: list[FieldError],
    ) -> "_Checked":
        """Check each channel's template; where the provider does not answer, accept unchecked."""
        unchecked = False
        versions: dict[Channel, int] = {}
        unused: list[tuple[str, ...]] = []
        for channel, template_id in templates.items():
            if credential is None:
                break
            try:
                known = await self._catalogue.get(credential, wanted=template_id)
            except NotifyRefusedKey:
                if new.service_key != service.name:
                    errors.append(FieldError("serviceKey", "GOV.UK Notify does not accept this key."))
                    break
                known = None
            if known is None:
                unchecked = True
                continue
            carrier = CARRIERS[channel]
            template = known.get(template_id)
            result = check_template(
                template,
                field=new.template_for(channel)[0],
                notify_type=carrier.notify_type,
                given=carrier.personalisation(
                    new.personal if new.follow_on is None else self._links.as_sent(new.personal, channel),
                    prepend_name=service.prepend_name,
                ),
            )
            errors += [error for error in result.errors if error not in errors]
            if new.sensitive and template is not None:
                errors += check_discreet(template, field=new.template_for(channel)[0])
            unused.append(result.unused if new.follow_on is None else self._links.but_the_link(result.unused))
            if template is not None:
                versions[channel] = template.version
        return _Checked(unchecked, _unused_by_all(unused), versions)


class _Judged(NamedTuple):
    notification: Notification
    service: RegisteredService
    credential: Credential | None


class _Checked(NamedTuple):
    unchecked: bool
    unused: tuple[str, ...]
    versions: Mapping[Channel, int]
    """Of each channel's template, where it is known."""


def _unused_by_all(unused: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The values that not one of the templates uses."""
    first, *others = unused or [()]
    return tuple(name for name in first if all(name in names for names in others))


_is_id = lru_cache(maxsize=1024)(is_id)
"""Of templates there are few, and each stands in many requests."""


def _resolve_templates(
    new: NewNotification, service: RegisteredService, errors: list[FieldError]
) -> dict[Channel, str]:
    """The id of each carried channel's template, by id or by a name that the service registered."""
    templates = {}
    for channel in new.carried:
        field, named = new.template_for(channel)
        if named is None:
            continue
        template_id = service.template_names.get(named, named)
        if _is_id(template_id):
            templates[channel] = template_id.lower()
        else:
            errors.append(
                FieldError(field, "Enter the id of a template, or a name that your service registered.")
            )
    return templates


def _notification(
    new: NewNotification,
    service: RegisteredService,
    templates: Mapping[Channel, str],
    checked: _Checked,
    now: datetime,
) -> Notification:
    personal = new.personal
    if warnings := _warnings(new, checked):
        personal = msgspec.structs.replace(personal, warnings=warnings)
    return Notification(
        id=new_id(),
        service_id=service.id,
        target_id=new.target_id,
        target_type=None if new.target_type is None else target_type.canonical(new.target_type),
        channels=new.channels,
        extra_channels=new.extra_channels,
        reference=new.reference,
        template_id=service.template_names.get(new.template_id or "", new.template_id),
        template_ids=dict(templates),
        require_action=new.require_action,
        template_unchecked=checked.unchecked,
        personal=personal,
        created_at=now,
        version=1,
        deliveries=tuple(
            Delivery(
                id=new_id(),
                channel=channel,
                status=Status.PENDING,
                template_version=checked.versions.get(channel),
                checked_version=checked.versions.get(channel),
            )
            for channel in new.carried
        ),
    )


def _warnings(new: NewNotification, checked: _Checked) -> tuple[str, ...]:
    """What was accepted, and may yet not be what was meant."""
    warnings = [f"{name} is not used by the template" for name in checked.unused]
    if Channel.EMAIL in new.carried:
        trusted = {normalise_name(name) for name in new.trusted}
        for name, value in (new.personalisation or {}).items():
            if not has_web_address(value) or name in checked.unused:
                continue
            if not isinstance(value, str):
                warnings.append(f"{name} holds a web address that will not be a link, as in every list")
            elif normalise_name(name) not in trusted:
                warnings.append(
                    f"{name} holds a web address that will not be a link unless trustedParams names it"
                )
    return tuple(warnings)
