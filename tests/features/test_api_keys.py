"""Keys: what they let in, until when, and what is told of them afterwards."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from postroom.domain.errors import Conflict, Invalid, NotFound
from postroom.domain.scope import Scope
from postroom.features.services import (
    ApiKey,
    Consumer,
    NewKey,
    admit_token,
    issue_key,
    keys_of,
    revoke_key,
    rotate_key,
)
from postroom.features.services.store import api_keys

if TYPE_CHECKING:
    from tests.features.conftest import Office

DAY = timedelta(days=1)


async def issue(office: "Office", **how: Any) -> NewKey:
    async with office.app.database.transaction() as conn:
        return await issue_key(
            conn,
            **{
                "vault": office.app.vault,
                "service_id": office.repairs.service_id,
                "name": "first",
                "now": office.now,
            }
            | how,
        )


async def rotate(office: "Office", key_id: str, **how: Any) -> NewKey:
    async with office.app.database.transaction() as conn:
        return await rotate_key(
            conn,
            key_id,
            vault=office.app.vault,
            service_id=office.repairs.service_id,
            now=office.now,
            **how,
        )


async def revoke(office: "Office", key_id: str) -> ApiKey:
    async with office.app.database.transaction() as conn:
        return await revoke_key(conn, key_id, service_id=office.repairs.service_id, now=office.now)


async def listed(office: "Office") -> dict[str, ApiKey]:
    async with office.app.database.reading() as conn:
        return {key.id: key for key in await keys_of(conn, office.repairs.service_id)}


async def lets_in(office: "Office", key: str) -> bool:
    known = await office.app.directory.by_api_key(key)
    return known is not None and known.caller.service_id == office.repairs.service_id


async def test_a_key_lets_its_service_in_with_its_scopes(office: "Office") -> None:
    every = await office.app.directory.by_api_key((await issue(office)).key)
    reading = await office.app.directory.by_api_key((await issue(office, scopes=[Scope.READ])).key)

    assert every is not None
    assert (every.caller, every.service.name) == (office.repairs, "repairs")
    assert reading is not None
    assert reading.caller.scopes == {Scope.READ}


async def test_it_ends_at_its_moment_and_not_when_it_is_forgotten(office: "Office") -> None:
    made = await issue(office, expires_at=office.now + timedelta(seconds=3))
    assert await lets_in(office, made.key)

    office.clock.ahead += timedelta(seconds=3)
    assert not await lets_in(office, made.key)
    assert (await listed(office))[made.id].state(office.now) == "expired"


async def test_it_is_refused_five_seconds_after_it_was_revoked(office: "Office") -> None:
    made = await issue(office)
    assert await lets_in(office, made.key)

    first = await revoke(office, made.id)
    office.clock.ahead += timedelta(seconds=5)
    assert not await lets_in(office, made.key)
    assert await revoke(office, made.id) == first
    assert first.state(office.now) == "revoked"


async def test_a_rotated_key_works_beside_its_successor_until_it_is_revoked(office: "Office") -> None:
    old = await issue(office, scopes=[Scope.READ], name="night run")
    new = await rotate(office, old.id)
    assert [await lets_in(office, key.key) for key in (old, new)] == [True, True]

    await revoke(office, old.id)
    office.clock.ahead += timedelta(seconds=5)
    assert [await lets_in(office, key.key) for key in (old, new)] == [False, True]
    told = (await listed(office))[new.id]
    assert (told.name, told.scopes, told.expires_at) == ("night run", {Scope.READ}, None)


async def test_or_until_the_overlap_is_over(office: "Office") -> None:
    old = await issue(office, expires_at=office.now + 90 * DAY)
    new = await rotate(office, old.id, old_expires_at=office.now + 7 * DAY)
    office.clock.ahead += 7 * DAY

    assert [await lets_in(office, key.key) for key in (old, new)] == [False, True]
    assert new.expires_at is not None
    assert timedelta(days=82) < new.expires_at - office.now <= timedelta(days=83)


async def test_an_overlap_gives_the_old_key_no_more_time_than_it_had(office: "Office") -> None:
    old = await issue(office, expires_at=office.now + DAY)
    await rotate(office, old.id, old_expires_at=office.now + 7 * DAY)

    assert (await listed(office))[old.id].expires_at == old.expires_at


async def test_what_is_over_is_not_rotated(office: "Office") -> None:
    revoked, expired = await issue(office), await issue(office, expires_at=office.now + DAY)
    await revoke(office, revoked.id)
    office.clock.ahead += DAY

    for key, why in ((revoked, "revoked"), (expired, "expired")):
        with pytest.raises(Conflict, match=why):
            await rotate(office, key.id)


async def test_another_services_key_is_not_there(office: "Office") -> None:
    made = await issue(office, service_id=office.housing.service_id)

    for key_id in (made.id, "not an id", office.repairs.service_id):
        with pytest.raises(NotFound):
            await revoke(office, key_id)
        with pytest.raises(NotFound):
            await rotate(office, key_id)
    assert await listed(office) == {}


@pytest.mark.parametrize(
    ("how", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 65}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"scopes": []}, "scopes"),
        ({"ends": -DAY}, "expiresAt"),
        ({"ends": timedelta(0)}, "expiresAt"),
    ],
    ids=repr,
)
async def test_a_key_that_cannot_be_right_is_not_issued(
    office: "Office", how: dict[str, Any], field: str
) -> None:
    now = office.now
    given = {"expires_at": now + how["ends"]} if "ends" in how else how
    with pytest.raises(Invalid) as raised:
        await issue(office, now=now, **given)

    assert [fault.field for fault in raised.value.errors] == [field]
    assert await listed(office) == {}


async def test_its_last_use_is_written_once_an_hour(office: "Office") -> None:
    made = await issue(office)
    assert (await listed(office))[made.id].last_used_at is None

    seen = []
    for wait in (timedelta(0), timedelta(minutes=59), timedelta(minutes=1)):
        office.clock.ahead += wait
        assert await lets_in(office, made.key)
        seen.append((await listed(office))[made.id].last_used_at)

    assert seen[0] is not None
    assert seen[1] == seen[0]
    assert timedelta(hours=1) <= seen[2] - seen[0] < timedelta(hours=1, minutes=1)  # type: ignore[operator]


async def test_nothing_of_a_key_is_kept_or_shown(office: "Office") -> None:
    made = await issue(office)
    async with office.app.database.reading() as conn:
        kept = repr(list(await conn.execute(select(api_keys))))

    assert made.key not in repr(made)
    assert made.key.removeprefix("postroom_") not in kept + repr(await listed(office))


async def admit(office: "Office", consumer: Consumer, **how: Any) -> ApiKey:
    async with office.app.database.transaction() as conn:
        return await admit_token(
            conn,
            consumer,
            vault=office.app.vault,
            service_id=office.repairs.service_id,
            now=office.now,
            **how,
        )


async def test_a_token_of_the_councils_own_is_admitted_expires_and_is_revoked_as_a_key(
    office: "Office",
) -> None:
    consumer = Consumer(name="Housing Finance", token_id="42")
    directory = office.app.directory
    assert await directory.by_consumer(consumer) is None
    office.clock.ahead += timedelta(seconds=5)

    admitted = await admit(office, consumer, scopes=[Scope.READ], expires_at=office.now + DAY)
    known = await directory.by_consumer(consumer)
    assert known is not None
    assert (known.caller.name, known.caller.scopes) == ("repairs", {Scope.READ})
    assert (admitted.name, admitted.scopes) == ("token 42 of Housing Finance", {Scope.READ})
    with pytest.raises(Conflict):
        await admit(office, consumer)

    await revoke(office, admitted.id)
    office.clock.ahead += timedelta(seconds=5)
    assert await directory.by_consumer(consumer) is None


@pytest.mark.parametrize(
    "other",
    [
        Consumer(name="Housing Finance", token_id="43"),
        Consumer(name="housing finance", token_id="42"),
        Consumer(name="Finance", token_id="42 Housing"),
        Consumer(name='Finance"', token_id='42","Housing'),
    ],
    ids=repr,
)
async def test_another_token_is_not_that_one(office: "Office", other: Consumer) -> None:
    await admit(office, Consumer(name="Housing Finance", token_id="42"))

    assert await office.app.directory.by_consumer(other) is None


async def test_no_key_can_be_sent_that_passes_for_an_admitted_token(office: "Office") -> None:
    """What it is found by is shorter than the digest of any key, and made with another key."""
    await issue(office)
    await admit(office, Consumer(name="Housing Finance", token_id="42"))

    async with office.app.database.reading() as conn:
        lengths = list(await conn.scalars(select(func.length(api_keys.c.digest)).order_by(api_keys.c.id)))
    assert lengths == [32, 16]
    for guess in ('["42","Housing Finance"]', 'consumer\0["42","Housing Finance"]', "42 Housing Finance"):
        assert await office.app.directory.by_api_key(guess) is None
