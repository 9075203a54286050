"""Where GOV.UK Notify posts its delivery receipts."""

from litestar import post

from postroom.channels.govuk_notify.receipts import decode
from postroom.domain.errors import FieldError, Forbidden, Invalid, Unauthenticated
from postroom.features.notifications.settle import settle
from postroom.interfaces.api.parts import AnyRequest, parts_of


@post("/receipts/govuk-notify", status_code=204)
async def take_receipt(request: AnyRequest) -> None:
    postroom = parts_of(request).app
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("Receipts carry Authorization: Bearer with the service's receipt token.")
    service = await postroom.directory.by_receipt_token(token.strip())
    if service is None:
        raise Forbidden("This receipt token is not known.")
    receipt = decode(await request.body())
    if receipt is None:
        raise Invalid([FieldError("body", "This is not a receipt of GOV.UK Notify.")])
    await settle(
        receipt,
        service_id=service.id,
        database=postroom.database,
        changes=postroom.changes,
        policy=postroom.settings.policy,
        now=postroom.clock(),
    )
