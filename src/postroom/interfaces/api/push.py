"""The endpoints of popups while no page is open: what to subscribe with, and the browsers that do."""

from datetime import UTC, datetime, timedelta

from litestar import delete, get, post
from litestar.types import ASGIApp

from postroom.domain.errors import FieldError, Invalid
from postroom.features.inbox.push.subscriptions import (
    Address,
    Subscription,
    faults_of,
    subscribe,
    subscriptions_of,
    unsubscribe,
)
from postroom.interfaces.api.answer import json_answer
from postroom.interfaces.api.body import read_body
from postroom.interfaces.api.notifications import checked_id
from postroom.interfaces.api.parts import AnyRequest, parts_of
from postroom.interfaces.api.push_schemas import (
    PushEndpointBody,
    PushItem,
    PushKeysBody,
    PushSubscriptionBody,
    PushSubscriptionItem,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@get("/push")
async def get_push(request: AnyRequest) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    person, _ = await authenticator.person(request)
    async with postroom.database.reading() as conn:
        found = await subscriptions_of(conn, person, vault=postroom.vault)
    return json_answer(
        PushItem(postroom.pusher.public_key, [_to_item(each) for each in found]),
        headers={"cache-control": "no-store"},
    )


@post("/push/subscriptions")
async def subscribe_browser(request: AnyRequest) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    person, _ = await authenticator.person(request)
    body, faults = await read_body(request, PushSubscriptionBody)
    now, private = postroom.clock(), postroom.settings.private_webhooks
    address = _address(body, faults, private=private)
    expires_at = _expiry(body, faults, now=now)
    if faults:
        raise Invalid(faults)
    async with postroom.database.transaction() as conn:
        made = await subscribe(
            conn,
            person,
            address,
            vault=postroom.vault,
            private=private,
            now=now,
            expires_at=expires_at,
        )
    return json_answer(_to_item(made), status=201)


@delete("/push/subscriptions", status_code=204)
async def unsubscribe_browser(request: AnyRequest) -> None:
    postroom, authenticator = parts_of(request)
    person, _ = await authenticator.person(request)
    body, faults = await read_body(request, PushEndpointBody)
    if body.endpoint is None and not faults:
        faults.append(FieldError("endpoint", "Say which subscription."))
    if faults or body.endpoint is None:
        raise Invalid(faults)
    async with postroom.database.transaction() as conn:
        await unsubscribe(conn, person, vault=postroom.vault, endpoint=body.endpoint)


@delete("/push/subscriptions/{subscription_id:str}", status_code=204)
async def remove_subscription(request: AnyRequest) -> None:
    postroom, authenticator = parts_of(request)
    person, _ = await authenticator.person(request)
    subscription_id = checked_id(request.path_params["subscription_id"])
    async with postroom.database.transaction() as conn:
        await unsubscribe(conn, person, vault=postroom.vault, subscription_id=subscription_id)


def _address(body: PushSubscriptionBody, faults: list[FieldError], *, private: bool) -> Address:
    """The address, with each of its faults beside those that are known."""
    keys = body.keys or PushKeysBody()
    address = Address(body.endpoint or "", keys.p256dh or "", keys.auth or "")
    known = {fault.field for fault in faults}
    found = faults_of(address, private=private)
    faults += [each for each in found if not {each.field, each.field.partition(".")[0]} & known]
    return address


def _expiry(body: PushSubscriptionBody, faults: list[FieldError], *, now: datetime) -> datetime | None:
    if body.expiration_time is None:
        return None
    try:
        expires_at = _EPOCH + timedelta(milliseconds=body.expiration_time)
    except (OverflowError, ValueError):
        expires_at = None
    if expires_at is None or expires_at <= now:
        faults.append(FieldError("expirationTime", "Use a time to come, in milliseconds since 1970."))
    return expires_at


def _to_item(subscription: Subscription) -> PushSubscriptionItem:
    return PushSubscriptionItem(
        id=subscription.id,
        created_date=subscription.made_at,
        confirmed_date=subscription.confirmed_at,
        expires_date=subscription.expires_at,
    )
