"""What is shown of a sensitive notification where more than one stands: in lists, streams and popups."""

import msgspec

from postroom.domain.caller import Caller, ServiceCaller
from postroom.domain.notification import Notification

NEUTRAL = "Open this notification to read it."


def in_lists(notification: Notification, *, caller: Caller) -> Notification:
    """The notification as it is listed and pushed. Its own service sees it as it is.

    Whatever shows several, or shows one unasked, goes through here.
    """
    personal = notification.personal
    if not personal.sensitive:
        return notification
    if isinstance(caller, ServiceCaller) and caller.service_id == notification.service_id:
        return notification
    detail = notification.action_detail
    return msgspec.structs.replace(
        notification,
        personal=msgspec.structs.replace(
            personal,
            message=None if personal.message is None else NEUTRAL,
            personalisation=None,
            warnings=(),
            follow_on=None,
            escalation=(),
        ),
        action_detail=None if detail is None else msgspec.structs.replace(detail, note=None),
    )
