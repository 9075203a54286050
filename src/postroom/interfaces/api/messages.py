"""The endpoints about messages at the provider: their status, and the templates they are made from."""

from litestar import get, post
from litestar.params import FromPath
from litestar.types import ASGIApp

from postroom.app import App
from postroom.channels.govuk_notify import NotifyTemplate, asked_for_a_caller
from postroom.domain.caller import ServiceCaller
from postroom.domain.errors import FieldError, Invalid, NotFound
from postroom.domain.scope import Scope
from postroom.features.notifications.preview import NO_TEMPLATE, Wanted, preview
from postroom.interfaces.api.answer import json_answer
from postroom.interfaces.api.body import LARGEST_WITH_FILE, read_body
from postroom.interfaces.api.notifications import checked_id
from postroom.interfaces.api.parts import AnyRequest, parts_of
from postroom.interfaces.api.schemas import PreviewBody
from postroom.interfaces.api.translate import to_message_status, to_preview, to_template_item


@get("/message-status/{service:str}/{message_id:str}")
async def get_message_status(
    request: AnyRequest, service: FromPath[str], message_id: FromPath[str]
) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    caller = await authenticator.service(request, scope=Scope.READ)
    wanted_id = checked_id(message_id, field="notificationId")
    message = await postroom.statuses.get(wanted_id, service=service, caller=caller)
    return json_answer(to_message_status(message))


@get("/templates/{service:str}")
async def list_templates(request: AnyRequest, service: FromPath[str]) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    caller = await authenticator.service(request, scope=Scope.TEMPLATES)
    templates = await _templates(request, service, postroom, caller)
    return json_answer([to_template_item(each) for each in templates.values()])


@get("/templates/{service:str}/{template_id:str}")
async def get_template(request: AnyRequest, service: FromPath[str], template_id: FromPath[str]) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    caller = await authenticator.service(request, scope=Scope.TEMPLATES)
    wanted_id = checked_id(template_id, field="templateId")
    template = (await _templates(request, service, postroom, caller)).get(wanted_id)
    if template is None:
        raise NotFound(NO_TEMPLATE)
    return json_answer(to_template_item(template))


@post(
    "/templates/{service:str}/{template_id:str}/preview",
    status_code=200,
    request_max_body_size=LARGEST_WITH_FILE + 1024,
)
async def preview_template(
    request: AnyRequest, service: FromPath[str], template_id: FromPath[str]
) -> ASGIApp:
    postroom, authenticator = parts_of(request)
    caller = await authenticator.service(request, scope=Scope.TEMPLATES)
    wanted_id = checked_id(template_id, field="templateId")
    body, faults = await read_body(request, PreviewBody, may_be_empty=True)
    credential = await postroom.keys.to_read_with(service, service_id=caller.service_id)
    if credential is None:
        raise NotFound(NO_TEMPLATE)
    registered = await postroom.directory.by_id(caller.service_id)
    wanted = Wanted(
        template_id=wanted_id,
        values=body.personalisation_params or {},
        trusted=tuple(body.trusted_params or ()),
        always_trusted=() if registered is None else registered.trusted_params,
        faults=tuple(faults),
    )
    made = await preview(
        wanted, credential=credential, catalogue=postroom.catalogue, clients=postroom.clients
    )
    return json_answer(to_preview(made))


async def _templates(
    request: AnyRequest, service: str, postroom: App, caller: ServiceCaller
) -> dict[str, NotifyTemplate]:
    refresh = _refresh(request)
    credential = await postroom.keys.to_read_with(service, service_id=caller.service_id)
    if credential is None:
        return {}
    with asked_for_a_caller():
        if refresh:
            return dict(await postroom.catalogue.refreshed(credential))
        return dict(await postroom.catalogue.current(credential))


def _refresh(request: AnyRequest) -> bool:
    given = request.query_params.dict()
    errors = [FieldError(name[:100], "There is no such parameter.") for name in given if name != "refresh"]
    text = str(request.query_params.get("refresh", "false")).lower()
    if text not in ("true", "false"):
        errors.append(FieldError("refresh", "Use true or false."))
    if errors:
        raise Invalid(errors)
    return text == "true"
