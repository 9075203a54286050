"""The API as one ASGI application."""

from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Litestar
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler
from litestar.types import ASGIApp

from postroom.app import App
from postroom.interfaces.api import (
    audit,
    bell,
    bulk,
    dead_letters,
    documentation,
    feedback,
    follow,
    health,
    keys,
    mark,
    members,
    messages,
    metrics,
    notifications,
    push,
    push_files,
    receipts,
    services,
    stream,
    timeline,
    webhook,
)
from postroom.interfaces.api.authenticate import Authenticator
from postroom.interfaces.api.body import LARGEST, LARGEST_WITH_FILE
from postroom.interfaces.api.express import Express, Handler
from postroom.interfaces.api.parts import STATE_KEY, Parts
from postroom.interfaces.api.problems import handle_error
from postroom.interfaces.edge import Edge
from postroom.interfaces.origins import Origins
from postroom.interfaces.tokens import Tokens
from postroom.kit.log import get_logger

log = get_logger(__name__)

HANDLERS: Sequence[BaseRouteHandler] = (
    notifications.create_notification,
    notifications.list_notifications,
    notifications.count_notifications,
    stream.stream_notifications,
    notifications.get_notification,
    notifications.act_on_notification,
    notifications.remove_notification,
    timeline.get_timeline,
    bulk.create_notifications,
    mark.mark_notifications,
    audit.list_audit,
    dead_letters.list_dead_letters,
    dead_letters.get_dead_letter,
    dead_letters.replay_dead_letter,
    dead_letters.replay_dead_letters,
    feedback.list_feedback,
    feedback.resend_event,
    feedback.resend_events,
    webhook.set_webhook,
    webhook.get_webhook,
    webhook.remove_webhook,
    webhook.rotate_webhook_secret,
    webhook.list_webhook_attempts,
    members.list_audiences,
    members.list_members,
    members.set_members,
    members.add_members,
    members.remove_member,
    services.register_service,
    services.list_services,
    services.get_service,
    services.change_service,
    services.replace_receipt_token,
    keys.list_keys,
    keys.issue_new_key,
    keys.rotate_service_key,
    keys.revoke_service_key,
    push.get_push,
    push.subscribe_browser,
    push.unsubscribe_browser,
    push.remove_subscription,
    push_files.push_module,
    push_files.push_worker,
    follow.follow_link,
    messages.get_message_status,
    messages.list_templates,
    messages.get_template,
    messages.preview_template,
    receipts.take_receipt,
    metrics.show_metrics,
    health.health_live,
    health.health_ready,
    documentation.openapi_document,
    documentation.start_page,
    documentation.try_page,
    documentation.try_asset,
    bell.describe_bell,
    bell.newest_bell,
    bell.bell_of_version,
)


EXPRESS: Mapping[tuple[str, str], tuple[Handler, int]] = {
    ("POST", "/notifications"): (notifications.create_notification.fn, LARGEST_WITH_FILE + 1024),
    ("GET", "/notifications/stream"): (stream.stream_notifications.fn, 0),
    ("POST", "/receipts/govuk-notify"): (receipts.take_receipt.fn, LARGEST),
}


def build_api(app: App) -> ASGIApp:
    """The endpoints over the app's features, with errors as problems and the edge around them."""
    if app.settings.trust.behind_gateway:
        log.warning(
            "SIGNATURES OF TOKENS ARE NOT VERIFIED: POSTROOM_BEHIND_GATEWAY is on. "
            "Whoever reaches Postroom past the gateway can be anybody."
        )
    authenticator = Authenticator(
        directory=app.directory,
        limits=app.callers,
        tokens=Tokens(app.settings, clock=app.clock),
        memberships=app.memberships,
        clock=app.clock,
    )
    litestar = Litestar(
        route_handlers=list(HANDLERS),
        exception_handlers={Exception: handle_error},
        openapi_config=None,
        request_max_body_size=LARGEST,
        logging_config=None,
        state=State({STATE_KEY: Parts(app, authenticator), metrics.STATE_KEY: metrics.MetricsPage(app)}),
    )
    edge: Any = Edge(
        Express(litestar, EXPRESS),
        prefix=app.settings.api_prefix,
        origins=Origins(app.settings.allowed_origins),
    )
    return edge  # type: ignore[no-any-return]
