"""The provider's limits, shared by all workers through the database, and obeyed without dropping anything."""

import os
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b

from postroom.domain.channel import Channel
from postroom.features.limits import store
from postroom.features.limits.bucket import Bucket, copy_of, new_bucket, new_version
from postroom.features.limits.hour import HOUR, Hour, Place, entry, places
from postroom.features.limits.verdicts import (
    GO,
    MOST_PARTS,
    ProviderLimits,
    PutOff,
    Suppress,
    Verdict,
    Wanted,
    in_parts,
    stricter,
)
from postroom.kit.database import AsyncConnection, Batch, Database
from postroom.kit.database.types import to_microseconds

_ACCOUNT_BYTES = 16
_MOST_REMEMBERED = 10_000


@lru_cache(maxsize=4096)
def account_of(*, base_url: str, notify_service_id: str, key_type: str) -> bytes:
    """What names the provider's bucket: Notify keeps one for each of its services and key types."""
    named = f"{base_url}\0{notify_service_id}\0{key_type}"
    return blake2b(named.encode(), digest_size=_ACCOUNT_BYTES).digest()


@dataclass(frozen=True, slots=True)
class Till:
    """Where an account's tokens are taken from, by which limits."""

    bucket_id: bytes
    limits: ProviderLimits


class ProviderBuckets:
    """Says of deliveries whether they may be sent now.

    Of a bucket in parts this process uses `part`, until it finds that another uses it too.
    """

    def __init__(self, *, part: int | None = None) -> None:
        self._part = os.getpid() if part is None else part
        self._known: dict[bytes, Bucket] = {}

    async def admit(
        self, conn: AsyncConnection, wanted: Sequence[Wanted], *, now: datetime
    ) -> dict[str, Verdict]:
        """A verdict for each delivery, by its id; what may go is counted, in the caller's transaction.

        What it was counted in stays locked until that transaction ends. Where it is rolled back nothing was
        counted; where the sender dies after it, what was counted stays: rather too few than too many.
        What came alone comes before all bulk, and the older, by its id, before the younger.
        """
        if not wanted:
            return {}
        in_order = _in_order(wanted)
        tills = self._tills(in_order)
        buckets, verdicts = await self._spend(conn, in_order, tills, now)
        refused = await _count_hour(
            conn, [each for each in in_order if verdicts[each.delivery_id] is GO], now
        )
        if refused:
            give_back(in_order, refused, tills, buckets)
            await self._save(conn, buckets.values())
        return verdicts | refused

    async def admit_at_once(
        self, database: Database, batch: Batch, wanted: Sequence[Wanted], *, now: datetime
    ) -> dict[str, Verdict] | None:
        """As `admit`, but nothing is locked: what it counted is written with the batch.

        None where there is not one bucket that this process knows. Where anybody has counted in the same
        bucket or lists since they were read, nothing of the batch is written.
        """
        if not wanted:
            return {}
        in_order = _in_order(wanted)
        tills = self._tills(in_order)
        known = self._only_known(tills)
        if known is None:
            return None
        bucket, verdicts = _spent(known, in_order, tills, now)
        going = [each for each in in_order if verdicts[each.delivery_id] is GO]
        refused, swaps = await _judge_hour(database, going, now)
        give_back(in_order, refused, tills, {bucket.id: bucket})
        # First the bucket, then the lists, as `admit` locks them.
        store.add_swap(batch, bucket.as_row(), version=known.version)
        store.add_list_swaps(batch, swaps, at=now)
        batch.once_written(lambda: self._known.__setitem__(bucket.id, bucket))
        return verdicts | refused

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
        parts = [_part_id(account, part) for part in range(MOST_PARTS)]
        rows = await store.lock_buckets(conn, [account, *parts])
        buckets = {row.id: Bucket(**row._mapping) for row in rows}
        if not buckets:
            buckets = await _locked(conn, {account: ProviderLimits()}, now)
        for bucket in buckets.values():
            if daily is None:
                bucket.empty(now=now)
            else:
                bucket.close(daily, international=international, now=now)
        await self._save(conn, buckets.values())

    def _tills(self, wanted: Iterable[Wanted]) -> dict[bytes, Till]:
        limits: dict[bytes, ProviderLimits] = {}
        for each in wanted:
            known = limits.get(each.account)
            limits[each.account] = each.limits if known is None else stricter(known, each.limits)
        return {account: self._till(account, one) for account, one in limits.items()}

    def _till(self, account: bytes, limits: ProviderLimits) -> Till:
        parts, of_each = in_parts(limits)
        return Till(account if parts == 1 else _part_id(account, self._part % parts), of_each)

    async def _spend(
        self, conn: AsyncConnection, in_order: Sequence[Wanted], tills: Mapping[bytes, Till], now: datetime
    ) -> tuple[dict[bytes, Bucket], dict[str, Verdict]]:
        """The buckets after the tokens were spent, and who got one.

        As a rule nobody else has written the bucket since we did, so it is read only where that is not so.
        """
        if (known := self._only_known(tills)) is not None:
            bucket, verdicts = _spent(known, in_order, tills, now)
            if await store.swap_bucket(conn, bucket.as_row(), version=known.version):
                self._known[bucket.id] = bucket
                return {bucket.id: bucket}, verdicts
            # Another process takes from it too. Where there are parts, the next time from one of its own.
            self._part = random.randrange(MOST_PARTS)  # noqa: S311 - spreads workers, guards nothing
        buckets = await _locked(conn, {till.bucket_id: till.limits for till in tills.values()}, now)
        verdicts = spend(in_order, tills, buckets, now=now)
        await self._save(conn, buckets.values())
        return buckets, verdicts

    def _only_known(self, tills: Mapping[bytes, Till]) -> Bucket | None:
        """The one bucket that is taken from, as this process wrote or read it last."""
        bucket_ids = {till.bucket_id for till in tills.values()}
        return self._known.get(bucket_ids.pop()) if len(bucket_ids) == 1 else None

    async def _save(self, conn: AsyncConnection, buckets: Iterable[Bucket]) -> None:
        rows = []
        for bucket in buckets:
            bucket.version = new_version()
            rows.append(bucket.as_row())
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[bucket.id] = bucket
        await store.save_buckets(conn, rows)


def _in_order(wanted: Sequence[Wanted]) -> list[Wanted]:
    return sorted(wanted, key=lambda each: (each.lane, each.delivery_id))


def _spent(
    known: Bucket, in_order: Sequence[Wanted], tills: Mapping[bytes, Till], now: datetime
) -> tuple[Bucket, dict[str, Verdict]]:
    """The bucket after its tokens were spent, to be written where it is still as it is known."""
    bucket = copy_of(known)
    verdicts = spend(in_order, tills, {bucket.id: bucket}, now=now)
    bucket.version = new_version()
    return bucket, verdicts


def spend(
    in_order: Sequence[Wanted],
    tills: Mapping[bytes, Till],
    buckets: Mapping[bytes, Bucket],
    *,
    now: datetime,
) -> dict[str, Verdict]:
    """Take a token for each that may have one. Pure, but for the buckets that it is taken from."""
    for till in tills.values():
        buckets[till.bucket_id].refill(till.limits, now=now)
    verdicts: dict[str, Verdict] = {}
    for each in in_order:
        till = tills[each.account]
        bucket = buckets[till.bucket_id]
        put_off = bucket.put_off(each, till.limits, now=now)
        verdicts[each.delivery_id] = put_off or GO
        if put_off is None:
            bucket.take(each)
    return verdicts


def give_back(
    in_order: Sequence[Wanted],
    refused: Mapping[str, Verdict],
    tills: Mapping[bytes, Till],
    buckets: Mapping[bytes, Bucket],
) -> None:
    """The tokens of what an hour's limit holds back."""
    for each in in_order:
        if each.delivery_id in refused:
            buckets[tills[each.account].bucket_id].give_back(each)


async def forget_sends(conn: AsyncConnection, *, now: datetime) -> None:
    """Give up what has left the hour, by any machine's clock."""
    await store.delete_lists(conn, before=now - 2 * HOUR)


async def _count_hour(
    conn: AsyncConnection, going: Sequence[Wanted], now: datetime
) -> dict[str, PutOff | Suppress]:
    """Those that an hour's limit holds back; all others are counted in it.

    All are written into their lists at once, which locks and reads these; then what was refused is taken out.
    """
    needed = _needed(going)
    if not needed:
        return {}
    added = _added(going, needed, now)
    rows = await store.append_to_lists(conn, added, at=now)
    hour = Hour({row.id: row.sends[: -len(added[row.id])] for row in rows}, now=now)
    verdicts = _judged(hour, going, needed)
    rewritten = [{"id": list_id, "sends": sends} for list_id, sends in hour.rewritten()]
    await store.rewrite_lists(conn, rewritten)
    return verdicts


async def _judge_hour(
    database: Database, going: Sequence[Wanted], now: datetime
) -> tuple[dict[str, PutOff | Suppress], dict[bytes, tuple[str, str]]]:
    """The same by the lists as they are read now, and how each that is counted in was and becomes."""
    needed = _needed(going)
    if not needed:
        return {}, {}
    list_ids = {place.list_id for found in needed.values() for place in found}
    async with database.looking() as conn:
        known = dict.fromkeys(list_ids, "") | await store.read_lists(conn, list_ids)
    hour = Hour(known, now=now)
    verdicts = _judged(hour, going, needed)
    written = {
        place.list_id
        for delivery_id, found in needed.items()
        if delivery_id not in verdicts
        for place in found
    }
    return verdicts, {list_id: (known[list_id], hour.text(list_id)) for list_id in sorted(written)}


def _needed(going: Iterable[Wanted]) -> dict[str, list[Place]]:
    return {each.delivery_id: found for each in going if (found := places(each))}


def _judged(
    hour: Hour, going: Iterable[Wanted], needed: Mapping[str, Sequence[Place]]
) -> dict[str, PutOff | Suppress]:
    return {
        each.delivery_id: verdict
        for each in going
        if each.delivery_id in needed and (verdict := hour.judge(each, needed[each.delivery_id]))
    }


def _added(going: Sequence[Wanted], needed: Mapping[str, Sequence[Place]], now: datetime) -> dict[bytes, str]:
    added: dict[bytes, str] = defaultdict(str)
    moment = to_microseconds(now)
    for each in going:
        for place in needed.get(each.delivery_id, ()):
            added[place.list_id] += entry(each, now=moment)
    return added


async def _locked(
    conn: AsyncConnection, limits: Mapping[bytes, ProviderLimits], now: datetime
) -> dict[bytes, Bucket]:
    """The buckets, locked and as they are; made at the first use."""
    rows = await store.lock_buckets(conn, limits)
    missing = limits.keys() - {row.id for row in rows}
    if missing:
        fresh = [new_bucket(each, limits[each], now=now) for each in sorted(missing)]
        await store.insert_buckets(conn, [bucket.as_row() for bucket in fresh])
        rows += await store.lock_buckets(conn, missing)
    return {row.id: Bucket(**row._mapping) for row in rows}


def _part_id(account: bytes, part: int) -> bytes:
    return account + bytes([part])
