"""The pages as one ASGI application."""

from typing import Any

from litestar import Litestar
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp

from postroom.app import App
from postroom.interfaces.edge import Edge
from postroom.interfaces.origins import Origins
from postroom.interfaces.tokens import Tokens
from postroom.interfaces.web import (
    demo_page,
    inbox,
    key_pages,
    notification,
    popups,
    register,
    searching,
    service_pages,
    sign_in,
    template_pages,
)
from postroom.interfaces.web.session import Sessions
from postroom.interfaces.web.shell import Answer, AnyRequest, Shell
from postroom.interfaces.web.visit import LARGEST_FORM, Door


def build_pages(app: App) -> ASGIApp:
    """The pages over the app's features, with the edge around them."""
    settings = app.settings
    sessions = Sessions(
        pages=settings.pages,
        tokens=Tokens(settings, clock=app.clock),
        memberships=app.memberships,
        vault=app.vault,
        clock=app.clock,
    )
    shell = Shell(prefix=settings.api_prefix, push_key=app.pusher.public_key)
    door = Door(app=app, shell=shell, sessions=sessions)

    def show_nothing(request: AnyRequest, error: Exception) -> Answer:
        """What no page was found for, or could not be read."""
        status = error.status_code if isinstance(error, HTTPException) else 500
        why = "Check the address." if status < 500 else "It was not your fault. Try again."
        title = "There is no such page" if status < 500 else "Something went wrong here"
        return shell.page("failure.html", status=status, title=title, why=why)

    litestar = Litestar(
        route_handlers=[
            shell.assets(),
            *demo_page.handlers(door),
            *sign_in.handlers(door),
            *inbox.handlers(door),
            *notification.handlers(door),
            *popups.handlers(door),
            *register.handlers(door),
            *searching.handlers(door),
            *service_pages.handlers(door),
            *key_pages.handlers(door),
            *template_pages.handlers(door),
        ],
        exception_handlers={Exception: show_nothing},
        openapi_config=None,
        request_max_body_size=LARGEST_FORM,
        logging_config=None,
    )
    edge: Any = Edge(litestar, prefix=settings.api_prefix, origins=Origins(()))
    return edge  # type: ignore[no-any-return]
