"""The provider's limits, shared by all workers through the database, and obeyed without dropping anything."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b

from sqlalchemy.ext.asyncio import AsyncConnection

from postroom.domain.channel import Channel
from postroom.features.limits import store
from postroom.features.limits.bucket import Bucket, new_bucket
from postroom.features.limits.recent import HOUR, RecentSends, Send, counts
from postroom.features.limits.verdicts import GO, ProviderLimits, Verdict, Wanted

_ACCOUNT_BYTES = 16


@lru_cache(maxsize=4096)
def account_of(*, base_url: str, notify_service_id: str, key_type: str) -> bytes:
    """What names the provider's bucket: Notify keeps one for each of its services and key types."""
    named = f"{base_url}\0{notify_service_id}\0{key_type}"
    return blake2b(named.encode(), digest_size=_ACCOUNT_BYTES).digest()


class ProviderBuckets:
    """Says of deliveries whether they may be sent now."""

    async def admit(
        self, conn: AsyncConnection, wanted: Sequence[Wanted], *, now: datetime
    ) -> dict[str, Verdict]:
        """A verdict for each delivery, by its id; what may go is counted, in the caller's transaction.

        The buckets stay locked until that transaction ends. Where it is rolled back nothing was counted;
        where the sender dies after it, what was counted stays: rather too few are sent than too many.
        """
        if not wanted:
            return {}
        recent = await _recent(conn, wanted, now)
        limits = _strictest(wanted)
        buckets = await _locked(conn, limits, now)
        for account, bucket in buckets.items():
            bucket.refill(limits[account], now=now)
        verdicts = decide(wanted, buckets, recent, now=now)
        await store.save_buckets(conn, [bucket.as_row() for bucket in buckets.values()])
        await store.insert_sends(conn, [send._asdict() for send in recent.gone])
        return verdicts

    async def slow_down(
        self,
        conn: AsyncConnection,
        account: bytes,
        *,
        now: datetime,
        daily: Channel | None = None,
        international: bool = False,
    ) -> None:
        """The provider refused one for its limits: of the minute, or of the day for a channel.

        In a transaction of its own: within one that admits, two could lock buckets in opposite orders.
        """
        (bucket,) = (await _locked(conn, {account: ProviderLimits()}, now)).values()
        if daily is None:
            bucket.empty(now=now)
        else:
            bucket.close(daily, international=international, now=now)
        await store.save_buckets(conn, [bucket.as_row()])


def decide(
    wanted: Sequence[Wanted], buckets: Mapping[bytes, Bucket], recent: RecentSends, *, now: datetime
) -> dict[str, Verdict]:
    """Verdicts by the rules alone; buckets and sends are changed as they say.

    What came alone comes before all bulk, and the older, by its id, before the younger.
    """
    return {
        each.delivery_id: _judge(each, buckets[each.account], recent, now)
        for each in sorted(wanted, key=lambda each: (each.lane, each.delivery_id))
    }


async def forget_sends(conn: AsyncConnection, *, now: datetime) -> None:
    """Give up what has left the hour."""
    await store.delete_sends(conn, before=now - HOUR)


def _judge(wanted: Wanted, bucket: Bucket, recent: RecentSends, now: datetime) -> Verdict:
    verdict = recent.judge(wanted) or bucket.put_off(wanted, now=now)
    if verdict is not None:
        return verdict
    bucket.take(wanted)
    recent.add(wanted)
    return GO


def _strictest(wanted: Sequence[Wanted]) -> dict[bytes, ProviderLimits]:
    """The limits of each account; the lowest where two of our services use one and differ."""
    found: dict[bytes, ProviderLimits] = {}
    for each in wanted:
        known = found.get(each.account)
        if known is None or each.limits.per_minute < known.per_minute:
            found[each.account] = each.limits
    return found


async def _recent(conn: AsyncConnection, wanted: Sequence[Wanted], now: datetime) -> RecentSends:
    recipients = {each.recipient for each in wanted if each.recipient is not None and counts(each)}
    if not recipients:
        return RecentSends([], now=now)
    await store.lock_recipients(conn, recipients)
    rows = await store.sends_to(conn, recipients, after=now - HOUR)
    return RecentSends((Send._make(row) for row in rows), now=now)


async def _locked(
    conn: AsyncConnection, accounts: Mapping[bytes, ProviderLimits], now: datetime
) -> dict[bytes, Bucket]:
    """The buckets of the accounts; made at the first use."""
    rows = await store.lock_buckets(conn, accounts)
    missing = accounts.keys() - {row.id for row in rows}
    if missing:
        fresh = [new_bucket(each, accounts[each], now=now) for each in sorted(missing)]
        await store.insert_buckets(conn, [bucket.as_row() for bucket in fresh])
        rows += await store.lock_buckets(conn, missing)
    return {row.id: Bucket(**row._mapping) for row in rows}
