"""The registry of members: who is in a group or looks after a patch, said here or by their tokens."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Row

from notify_rules.email_address import check_email_address
from notify_rules.errors import InvalidEmailAddress
from postroom.domain.audience import Audience, AudienceKind
from postroom.domain.errors import FieldError, Invalid, NotFound
from postroom.features.recipients import store
from postroom.features.recipients.indexes import audience_index, reader_index
from postroom.kit.crypto import Vault
from postroom.kit.database import AsyncConnection

LONGEST_LIST = 10_000
_COLUMN = "members.sealed"


@dataclass(frozen=True, slots=True)
class Member:
    """One member, by e-mail address. `registered_at` is when it was said here, `told_at` by their token."""

    email: str = field(repr=False)
    registered_at: datetime | None
    told_at: datetime | None


class Counted(NamedTuple):
    """A group or a patch that has members."""

    name: str
    members: int


async def set_members(
    conn: AsyncConnection, audience: Audience, emails: Sequence[str], *, vault: Vault, now: datetime
) -> None:
    """These and no others are registered from now on. What tokens say is left as it is."""
    rows = _rows(audience, emails, vault=vault, registered_at=now)
    index = audience_index(vault, str(audience))
    await store.insert_registered(conn, rows)
    await store.drop_registered(conn, index, keep={row["member"] for row in rows})


async def add_members(
    conn: AsyncConnection, audience: Audience, emails: Sequence[str], *, vault: Vault, now: datetime
) -> None:
    await store.insert_registered(conn, _rows(audience, emails, vault=vault, registered_at=now))


async def remove_member(conn: AsyncConnection, audience: Audience, email: str, *, vault: Vault) -> None:
    """NotFound where they are not registered; whom their token makes a member stays one."""
    index, member = audience_index(vault, str(audience)), reader_index(vault, email.strip())
    if not await store.drop_registered(conn, index, only=member):
        raise NotFound("There is no such registered member.")


async def members_of(
    conn: AsyncConnection, audience: Audience, *, vault: Vault, after: str | None = None, limit: int
) -> tuple[list[Member], str | None]:
    """Some of the members, and what continues after them, None at the end."""
    rows = await store.page_of_members(
        conn,
        audience_index(vault, str(audience)),
        after=None if after is None else bytes.fromhex(after),
        limit=limit + 1,
    )
    shown = rows[:limit]
    return [_opened(row, vault) for row in shown], shown[-1].member.hex() if len(rows) > limit else None


async def audiences(
    conn: AsyncConnection, kind: AudienceKind, *, after: str | None = None, limit: int
) -> tuple[list[Counted], str | None]:
    """Some of the groups or patches that have members, by name, and what continues after them."""
    rows = await store.counted_audiences(conn, kind, after=after, limit=limit + 1)
    shown = [Counted(row.name, row.number) for row in rows[:limit]]
    return shown, shown[-1].name if len(rows) > limit else None


def told_rows(
    audiences: Collection[Audience], email: str, *, vault: Vault, told_at: datetime
) -> list[dict[str, Any]]:
    """The rows of what somebody's token says that they are in."""
    rows = [_row(each, email, vault) | {"told_at": told_at} for each in audiences]
    return sorted(rows, key=lambda row: row["audience"])


def _rows(
    audience: Audience, emails: Sequence[str], *, vault: Vault, registered_at: datetime
) -> list[dict[str, Any]]:
    """Each once, in one order for all writers: two that cross would wait for one another."""
    _check(emails)
    rows = [_row(audience, email, vault) | {"registered_at": registered_at} for email in emails]
    by_member = {row["member"]: row for row in rows}
    return [by_member[member] for member in sorted(by_member)]


def _check(emails: Sequence[str]) -> None:
    if len(emails) > LONGEST_LIST:
        raise Invalid([FieldError("members", f"Send up to {LONGEST_LIST:,} at once.")])
    faults = [
        FieldError(f"members[{place}]", "Enter an officer's email address.")
        for place, email in enumerate(emails)
        if not _is_email(email)
    ]
    if faults:
        raise Invalid(faults[:100])


def _is_email(email: str) -> bool:
    try:
        check_email_address(email)
    except InvalidEmailAddress:
        return False
    return len(email) <= 320


def _row(audience: Audience, email: str, vault: Vault) -> dict[str, Any]:
    email = email.strip().lower()
    index, member = audience_index(vault, str(audience)), reader_index(vault, email)
    return {
        "audience": index,
        "member": member,
        "kind": audience.kind.value,
        "name": audience.name,
        "sealed": vault.seal(email.encode(), row=_place(index, member), column=_COLUMN),
    }


def _opened(row: Row[Any], vault: Vault) -> Member:
    email = vault.open(row.sealed, row=_place(row.audience, row.member), column=_COLUMN).decode()
    return Member(email=email, registered_at=row.registered_at, told_at=row.told_at)


def _place(audience: bytes, member: bytes) -> str:
    return f"{audience.hex()}{member.hex()}"
