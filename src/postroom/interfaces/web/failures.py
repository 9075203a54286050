"""What somebody is shown where a page cannot be had."""

from litestar.exceptions import HTTPException

from postroom.channels.govuk_notify import NotifyLimited, NotifyRefusedKey, NotifyUnavailable
from postroom.domain import errors
from postroom.interfaces.web.shell import Answer
from postroom.interfaces.web.visit import FormRefused, Visit
from postroom.kit.database import DatabaseUnavailable, LockTimeout
from postroom.kit.log import get_logger

log = get_logger(__name__)

_GONE = ("There is no such page", "It may have been removed, or it is not for you. Check the address.")
_BUSY = ("Try again in a moment", "Postroom is busy right now. Nothing was changed.")
_REFUSED = (
    "This form is out of date",
    "You may have signed in or out since it was shown. Nothing was changed. "
    "Go back, reload the page, and try again.",
)


async def show_failure(visit: Visit, error: Exception) -> Answer:
    """A page that says what went wrong, and what to do."""
    status, (title, why) = _told(error)
    if status == 401:
        return visit.go_to_sign_in()
    if status == 500:
        log.error("unforeseen error", exc_info=error)
    if status == 503:
        # Nothing more is asked of what does not answer.
        return visit.door.shell.page("failure.html", status=status, title=title, why=why, person=None)
    return await visit.page("failure.html", title=title, why=why, status=status)


def _told(error: Exception) -> tuple[int, tuple[str, str]]:
    match error:
        case FormRefused():
            return 403, _REFUSED
        case errors.Unauthenticated():
            return 401, ("Sign in", str(error))
        case errors.Forbidden():
            return 403, ("You may not see this page", str(error))
        case errors.NotFound():
            return 404, _GONE
        case errors.Conflict():
            return 409, ("That is not possible any more", str(error))
        case errors.Stale():
            return 412, ("Somebody was faster", "It has changed since you opened it. Open it again.")
        case errors.Invalid():
            message = "; ".join(f"{fault.field}: {fault.message}" for fault in error.errors)
            return 400, ("Something needs to be corrected", message)
        case errors.Busy() | DatabaseUnavailable() | LockTimeout():
            return 503, _BUSY
        case NotifyUnavailable() | NotifyLimited():
            return 503, ("GOV.UK Notify does not answer", "Try again in a moment. Nothing was changed.")
        case NotifyRefusedKey():
            return 424, ("GOV.UK Notify does not accept the key", "The service's key has to be set again.")
        case HTTPException() if error.status_code < 500:
            return error.status_code, _GONE
    return 500, (
        "Something went wrong here",
        "It was not your fault. Try again; if it happens again, tell us.",
    )
