"""The templates of a service, and what a filled-in one would look like."""

from litestar.handlers import HTTPRouteHandler

from postroom.channels.govuk_notify import NotifyTemplate, asked_for_a_caller
from postroom.domain.errors import FieldError, Invalid, NotFound
from postroom.features.notifications.preview import NO_TEMPLATE, Wanted, preview
from postroom.features.services import Credential, RegisteredService
from postroom.interfaces.web.failures import show_failure
from postroom.interfaces.web.service_pages import ONE, SERVICES, named
from postroom.interfaces.web.shell import Answer
from postroom.interfaces.web.visit import READERS, Door, Visit, form, view

_PLACE = "personalisationParams."


def handlers(door: Door) -> list[HTTPRouteHandler]:
    one = f"{ONE}/templates/{{id:str}}"
    return [
        view(door, f"{ONE}/templates", _list, on_error=show_failure),
        view(door, one, _show, on_error=show_failure),
        form(door, one, _preview, on_error=show_failure),
    ]


async def _service(visit: Visit) -> tuple[RegisteredService, Credential | None]:
    service = await visit.app.directory.by_name(named(visit))
    if service is None:
        raise NotFound("There is no service of this name.")
    return service, await visit.app.keys.to_read_with(service.name, service_id=service.id)


async def _list(visit: Visit) -> Answer:
    visit.need(READERS)
    service, credential = await _service(visit)
    templates: list[NotifyTemplate] = []
    if credential is not None:
        with asked_for_a_caller():
            templates = list((await visit.app.catalogue.current(credential)).values())
    called = {template_id: name for name, template_id in service.template_names.items()}
    return await visit.page(
        "templates.html",
        title=f"Templates of {service.name}",
        back=f"{SERVICES}/{service.name}",
        service=service,
        has_key=credential is not None,
        templates=sorted(templates, key=lambda each: (each.type, each.name or "")),
        called=called,
    )


async def _show(visit: Visit) -> Answer:
    visit.need(READERS)
    service, credential = await _service(visit)
    return await _page(visit, service, await _template(visit, credential))


async def _template(visit: Visit, credential: Credential | None) -> NotifyTemplate:
    if credential is None:
        raise NotFound(NO_TEMPLATE)
    with asked_for_a_caller():
        found = (await visit.app.catalogue.current(credential)).get(
            str(visit.request.path_params["id"]).lower()
        )
    if found is None:
        raise NotFound(NO_TEMPLATE)
    return found


async def _preview(visit: Visit) -> Answer:
    visit.need(READERS)
    service, credential = await _service(visit)
    template = await _template(visit, credential)
    values = {
        name: text for place, name in _places(template) if (text := visit.fields.get(place, "").strip())
    }
    if credential is None:
        raise NotFound(NO_TEMPLATE)
    try:
        made = await preview(
            Wanted(template.id, values, always_trusted=service.trusted_params),
            credential=credential,
            catalogue=visit.app.catalogue,
            clients=visit.app.clients,
        )
    except Invalid as error:
        places = {name: place for place, name in _places(template)}
        first = next(iter(places.values()), "main-content")
        faults = [
            FieldError(places.get(each.field.removeprefix(_PLACE), first), _of(each, places))
            for each in error.errors
        ]
        return await _page(visit, service, template, errors=tuple(faults), status=400)
    return await _page(visit, service, template, made=made)


def _of(fault: FieldError, places: dict[str, str]) -> str:
    name = fault.field.removeprefix(_PLACE)
    return f"{name}: {fault.message}" if name in places else fault.message


def _places(template: NotifyTemplate) -> list[tuple[str, str]]:
    """The fields of the form by the placeholders that they fill."""
    return [(f"value-{number}", name) for number, name in enumerate(template.placeholders)]


async def _page(
    visit: Visit,
    service: RegisteredService,
    template: NotifyTemplate,
    *,
    made: object = None,
    errors: tuple[FieldError, ...] = (),
    status: int = 200,
) -> Answer:
    return await visit.page(
        "template.html",
        title=template.name or "Template",
        status=status,
        errors=errors,
        back=f"{SERVICES}/{service.name}/templates",
        service=service,
        template=template,
        places=[(place, name, visit.fields.get(place, "")) for place, name in _places(template)],
        made=made,
    )
