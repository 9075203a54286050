"""A service's webhook that was switched off is told to the service's owner, once."""

from datetime import datetime, timedelta

from postroom.domain.caller import ServiceCaller
from postroom.domain.channel import Channel
from postroom.domain.errors import PostroomError
from postroom.features.notifications.create import Creator
from postroom.features.notifications.idempotency import Once
from postroom.features.notifications.request import NewNotification
from postroom.features.services import Owner, owner_of
from postroom.features.webhooks.endpoints import SwitchedOff, find_switched_off
from postroom.kit.crypto import Vault
from postroom.kit.database import Database
from postroom.kit.local_time import day_and_clock
from postroom.kit.log import get_logger

log = get_logger(__name__)

TARGET_TYPE = "WebhookEndpoint"
TOLD_WITHIN = timedelta(days=30)
"""An owner who is named later than that is not told any more: what was missed has left the feed by then."""

_KNOWN_FOR = 2 * TOLD_WITHIN
_WHY = {
    "failing": "every call has failed for days",
    "gone": "it answered that it is gone for good (410)",
}


async def tell_owners(*, database: Database, creator: Creator, vault: Vault, now: datetime) -> int:
    """Tell the owners of services whose webhook is off, and who were not told of that; how many were."""
    told = 0
    async with database.reading() as conn:
        found = await find_switched_off(conn, since=now - TOLD_WITHIN)
        owners = {each.service_id: await owner_of(conn, each.service_id, vault=vault) for each in found}
    for each in found:
        owner = owners[each.service_id]
        if owner is not None and owner.email is not None:
            told += await _tell(each, owner, creator=creator, now=now)
    return told


async def _tell(off: SwitchedOff, owner: Owner, *, creator: Creator, now: datetime) -> bool:
    """Whether it was told now. No caller can send such a key: it holds what no header may."""
    key = f"webhook off\0{off.service_id}\0{off.at.isoformat()}"
    new = NewNotification(
        channels=(Channel.SCREEN,),
        user=owner.email,
        target_id=owner.service,
        target_type=TARGET_TYPE,
        message=_words(off, owner.service),
    )
    caller = ServiceCaller(off.service_id, owner.service)
    once = Once(key=key, body=key.encode(), keep=_KNOWN_FOR)
    try:
        made = await creator.create(new, caller=caller, now=now, once=once)
    except PostroomError as error:
        log.error("an owner could not be told", service=off.service_id, problem=type(error).__name__)
        return False
    return not made.replayed


def _words(off: SwitchedOff, service: str) -> str:
    why = _WHY.get(off.reason or "", "it could not be called")
    return (
        f"Postroom does not call the webhook of {service} any more since {day_and_clock(off.at)}: {why}. "
        "What it misses stays in the feed for 30 days. Once it works again, set its address anew, and have "
        "what it missed sent again."
    )
