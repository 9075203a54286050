"""The operations that send. Each carries an idempotency key, so each may be repeated."""

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec

from postroom_client.errors import Unavailable, error_of
from postroom_client.models import BulkItem, BulkResult, Notification
from postroom_client.operation import Operation, Request, Response
from postroom_client.outgoing import NewNotification
from postroom_client.wire import from_wire

P = ParamSpec("P")

_PUT_OFF = frozenset({409, 429, 503})


def sending(
    describe: Callable[P, NewNotification],
) -> Callable[Concatenate[str | None, P], Operation[Notification]]:
    """The operation that sends what is so described."""

    @wraps(describe)
    def send(service: str | None, /, *args: P.args, **kwargs: P.kwargs) -> Operation[Notification]:
        return notify(service, describe(*args, **kwargs))

    return send


def notify(service: str | None, /, notification: NewNotification) -> Operation[Notification]:
    """Send a notification over any channels; what was made of it."""
    request = _post("/notifications", notification.wire(service=service), key=notification.idempotency_key)
    return Operation(request=request, parse=read_notification)


def send_many(
    service: str | None, /, notifications: Sequence[NewNotification], *, idempotency_key: str | None = None
) -> Operation[BulkResult]:
    """Send up to 1,000 at once. One that is refused stops no other: its item says why."""
    if any(each.idempotency_key is not None for each in notifications):
        raise ValueError("Many have one key together: send_many(…, idempotency_key=…).")
    key = idempotency_key or _new_key()
    request = _post("/notifications/bulk", [each.wire(service=service) for each in notifications], key=key)
    return Operation(request=request, parse=partial(_read_bulk, key), is_complete=_has_nothing_put_off)


def read_notification(response: Response) -> Notification:
    return from_wire(
        Notification,
        response.json,
        etag=response.headers.get("etag"),
        replayed=response.headers.get("idempotent-replay") == "true",
    )


def json_request(method: str, path: str, body: Any, *, headers: Mapping[str, str] | None = None) -> Request:
    return Request(
        method=method,
        path=path,
        headers={"Content-Type": "application/json", **(headers or {})},
        body=json.dumps(body, ensure_ascii=False, allow_nan=False).encode(),
    )


def _post(path: str, body: Any, *, key: str | None) -> Request:
    return json_request("POST", path, body, headers={"Idempotency-Key": key or _new_key()})


def _new_key() -> str:
    return str(uuid.uuid4())


def _read_bulk(key: str, response: Response) -> BulkResult:
    return BulkResult(items=tuple(_read_bulk_item(each) for each in response.json), idempotency_key=key)


def _read_bulk_item(item: Mapping[str, Any]) -> BulkItem:
    index, status, made = item["index"], item["status"], item.get("notification")
    if made is None:
        error = error_of(status, item.get("problem"))
        if isinstance(error, Unavailable):
            # A later repetition of the bulk may have been taken, and its answer lost.
            error.may_have_happened = True
        return BulkItem(index=index, status=status, error=error)
    replayed = item.get("idempotentReplay", False)
    return BulkItem(index=index, status=status, notification=from_wire(Notification, made, replayed=replayed))


def _has_nothing_put_off(result: BulkResult) -> bool:
    """The same bulk again, by its key, takes up what could not be taken at that moment, and that alone."""
    return not any(item.status in _PUT_OFF for item in result.items)
