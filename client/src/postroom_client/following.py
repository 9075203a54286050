"""The operations that tell what became of things, or would: nothing of what is sent is changed by them."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from postroom_client.models import Preview, TimelineEntry, Validation, Webhook
from postroom_client.operation import Operation, Page, Request, Response
from postroom_client.outgoing import NewNotification
from postroom_client.reading import named, page_of, path_of, read, read_all
from postroom_client.sending import json_request
from postroom_client.webhooks import Event
from postroom_client.wire import from_wire


def validate(service: str | None, /, notification: NewNotification) -> Operation[Validation]:
    """What would become of it: everything is judged, and nothing kept or sent."""
    request = json_request("POST", "/notifications", notification.wire(service=service))
    asked = Request(
        method="POST",
        path=request.path,
        query=[("validateOnly", "true")],
        headers=request.headers,
        body=request.body,
    )
    return Operation(request=asked, parse=partial(read, Validation))


def preview(
    service: str | None,
    /,
    template_id: str,
    *,
    personalisation: Mapping[str, Any] | None = None,
    trusted_params: Sequence[str] = (),
) -> Operation[Preview]:
    """What would go out with these values, as GOV.UK Notify fills them in."""
    body = {"personalisationParams": dict(personalisation or {}), "trustedParams": list(trusted_params)}
    path = path_of("templates", named(service), template_id) + "/preview"
    return Operation(request=json_request("POST", path, body), parse=partial(read, Preview))


def timeline(_service: str | None, /, notification_id: str) -> Operation[tuple[TimelineEntry, ...]]:
    """The life of a notification, line by line, in plain English; then what is still to come."""
    request = Request(method="GET", path=path_of("notifications", notification_id) + "/timeline")
    return Operation(request=request, parse=partial(read_all, TimelineEntry))


def feedback(
    _service: str | None, /, *, since: str | None = None, page_size: int = 200
) -> Operation[Page[Event]]:
    """What happened since that cursor. Keep the `cursor` of the last event, and go on there later."""
    begin = [] if since is None else [("since", since)]
    request = Request(method="GET", path="/feedback", query=[*begin, ("limit", str(page_size))])
    return page_of(request, _read_events)


def set_webhook(_service: str | None, /, url: str) -> Operation[Webhook]:
    """Where Postroom calls back. The secret is in the answer, the first time."""
    # Whoever asks again is not told the secret again: it is not repeated where the answer was lost.
    return Operation(
        request=json_request("PUT", "/webhook", {"url": url}),
        parse=partial(read, Webhook),
        repeatable=False,
    )


def webhook(_service: str | None, /) -> Operation[Webhook]:
    """Where Postroom calls back, and whether that works. The secret is not shown again."""
    return Operation(request=Request(method="GET", path="/webhook"), parse=partial(read, Webhook))


def rotate_webhook_secret(_service: str | None, /) -> Operation[Webhook]:
    """A new secret. Until `former_secret_until` calls carry the signatures of both."""
    request = Request(method="POST", path="/webhook/rotate")
    return Operation(request=request, parse=partial(read, Webhook), repeatable=False)


def remove_webhook(_service: str | None, /) -> Operation[None]:
    """Be called back no more. The feed goes on."""
    request = Request(method="DELETE", path="/webhook")
    return Operation(request=request, parse=lambda _: None, done_if_repeated=frozenset({404}))


def _read_events(response: Response) -> tuple[Event, ...]:
    return tuple(from_wire(Event, each, id=each["id"]) for each in json.loads(response.body))
