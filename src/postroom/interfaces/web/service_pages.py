"""Developers look at services: their webhooks with every try, their keys, their templates."""

from litestar.handlers import HTTPRouteHandler

from postroom.domain.errors import Conflict, NotFound
from postroom.features.services import Profile, find_profile, find_profiles, keys_of
from postroom.features.webhooks.attempts import AttemptFilters, find_attempts
from postroom.features.webhooks.endpoints import Endpoint, find_endpoint
from postroom.features.webhooks.resend import resend_one
from postroom.features.webhooks.retry import Outcome
from postroom.interfaces.web.failures import show_failure
from postroom.interfaces.web.paths import DEVELOPER, with_query
from postroom.interfaces.web.shell import Answer
from postroom.interfaces.web.visit import DEVELOPERS, READERS, Door, Visit, form, view
from postroom.kit.database import AsyncConnection
from postroom.kit.ids import is_id

SERVICES = f"{DEVELOPER}/services"
ONE = f"{SERVICES}/{{name:str}}"
A_PAGE = 25
_OUTCOMES = [
    ("", "Any"),
    (Outcome.DELIVERED.value, "Delivered"),
    (Outcome.TRY_AGAIN.value, "To be tried again"),
    (Outcome.GIVEN_UP.value, "Given up"),
    (Outcome.GONE.value, "Gone"),
]


def handlers(door: Door) -> list[HTTPRouteHandler]:
    return [
        view(door, SERVICES, _list, on_error=show_failure),
        view(door, ONE, _one, on_error=show_failure),
        view(door, f"{ONE}/webhook", _webhook, on_error=show_failure),
        form(door, f"{ONE}/webhook/resend", _resend, on_error=show_failure),
    ]


def named(visit: Visit) -> str:
    return str(visit.request.path_params["name"])


async def _list(visit: Visit) -> Answer:
    visit.need(READERS)
    async with visit.app.database.reading() as conn:
        profiles = await find_profiles(conn, vault=visit.app.vault)
    return await visit.page("services.html", title="Services", back=DEVELOPER, profiles=profiles)


async def _one(visit: Visit) -> Answer:
    visit.need(READERS)
    async with visit.app.database.reading() as conn:
        profile = await find_profile(conn, named(visit), vault=visit.app.vault)
        endpoint = await _endpoint(conn, profile, visit)
        keys = await keys_of(conn, profile.id)
    now = visit.app.clock()
    return await visit.page(
        "one_service.html",
        title=profile.name,
        back=SERVICES,
        profile=profile,
        endpoint=endpoint,
        valid_keys=sum(key.state(now) == "valid" for key in keys),
    )


async def _endpoint(conn: AsyncConnection, profile: Profile, visit: Visit) -> Endpoint | None:
    try:
        return await find_endpoint(conn, profile.id, vault=visit.app.vault)
    except NotFound:
        return None


async def _webhook(visit: Visit) -> Answer:
    visit.need(READERS)
    before, outcome = visit.asked("before").lower(), visit.asked("outcome")
    async with visit.app.database.reading() as conn:
        profile = await find_profile(conn, named(visit), vault=visit.app.vault)
        endpoint = await _endpoint(conn, profile, visit)
        filters = AttemptFilters(
            service_id=profile.id,
            outcome=Outcome(outcome) if outcome in set(Outcome) else None,
            before=before if is_id(before) else None,
            limit=A_PAGE,
        )
        tries, older = await find_attempts(conn, filters)
    here = f"{SERVICES}/{profile.name}/webhook"
    return await visit.page(
        "webhook.html",
        title=f"Webhook of {profile.name}",
        back=f"{SERVICES}/{profile.name}",
        profile=profile,
        endpoint=endpoint,
        tries=tries,
        outcome=outcome,
        outcomes=_OUTCOMES,
        older=older and with_query(here, outcome=outcome, before=older),
        may_resend=visit.is_any(DEVELOPERS) and endpoint is not None and endpoint.off_at is None,
        done=visit.asked("done") == "resent",
    )


async def _resend(visit: Visit) -> Answer:
    visit.need(DEVELOPERS)
    event_id = visit.fields.get("event", "").lower()
    if not is_id(event_id):
        raise NotFound("There is no such event.")
    async with visit.app.database.transaction() as conn:
        profile = await find_profile(conn, named(visit), vault=visit.app.vault)
        if await _endpoint(conn, profile, visit) is None:
            raise Conflict("This service has no webhook.")
        await resend_one(conn, event_id, service_id=profile.id, now=visit.app.clock())
    visit.app.dispatcher.ring()
    return visit.go(f"{SERVICES}/{profile.name}/webhook", done="resent")
