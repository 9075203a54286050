"""The tables of services, their API keys, and the provider's keys that they send with."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, LargeBinary, Row, String, Table, Text, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from postroom.kit.database import AsyncConnection, Id, Instant, metadata

services = Table(
    "services",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("credential_id", Id),
    Column("default_group", String(128)),
    Column("prepend_name", Boolean, nullable=False),
    # {"name of a template": "its id"} as JSON
    Column("template_names", Text, nullable=False),
    Column("receipt_token_digest", LargeBinary, unique=True),
    Column("created_at", Instant, nullable=False),
    # What was chosen for it alone, as JSON: see features/limits/chosen.py.
    Column("limits", Text, nullable=False, server_default="{}"),
    # The names of the values that may make links in its emails, as a JSON list.
    Column("trusted_params", Text, nullable=False, server_default="[]"),
    # Where its follow-on links may lead, as a JSON list: see links.py.
    Column("link_hosts", Text, nullable=False, server_default="[]"),
    # An e-mail address, sealed: see profile.py.
    Column("owner", LargeBinary),
    Column("environment", String(32), nullable=False, server_default="production"),
    # {"another environment": {"name of a template": "its id"}} as JSON
    Column("other_template_names", Text, nullable=False, server_default="{}"),
    # Since when it may not call any more.
    Column("off_at", Instant),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Id, primary_key=True),
    Column("service_id", Id, nullable=False, index=True),
    Column("name", String(64), nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
    # With spaces between, * for all: see domain/scope.py.
    Column("scopes", String(255), nullable=False, server_default="*"),
    # Written anew when an hour has passed.
    Column("last_used_at", Instant),
)

credentials = Table(
    "credentials",
    metadata,
    Column("id", Id, primary_key=True),
    Column("service_id", Id, nullable=False),
    # Raw keys came with a request and go once their deliveries have ended.
    Column("is_raw", Boolean, nullable=False),
    Column("base_url", Text, nullable=False),
    Column("sealed_key", LargeBinary, nullable=False),
    Column("used_at", Instant, nullable=False),
    # live, team or test: the key itself does not tell.
    Column("key_type", String(4), nullable=False, server_default="live"),
)


async def service_by_name(conn: AsyncConnection, name: str) -> Row[Any] | None:
    return (await conn.execute(select(services).where(services.c.name == name))).first()


async def locked_service(conn: AsyncConnection, name: str) -> Row[Any] | None:
    return (await conn.execute(select(services).where(services.c.name == name).with_for_update())).first()


async def service_by_id(conn: AsyncConnection, service_id: str) -> Row[Any] | None:
    return (await conn.execute(select(services).where(services.c.id == service_id))).first()


async def service_by_receipt_token(conn: AsyncConnection, digest: bytes) -> Row[Any] | None:
    return (await conn.execute(select(services).where(services.c.receipt_token_digest == digest))).first()


async def service_by_key(conn: AsyncConnection, digest: bytes, *, now: datetime) -> Row[Any] | None:
    """The service whose key has this digest, with the key, while that is neither revoked nor expired.

    None where the service is switched off.
    """
    return (
        await conn.execute(
            select(
                services,
                api_keys.c.id.label("key_id"),
                api_keys.c.expires_at,
                api_keys.c.scopes,
                api_keys.c.last_used_at,
            )
            .join(api_keys, api_keys.c.service_id == services.c.id)
            .where(
                api_keys.c.digest == digest,
                services.c.off_at.is_(None),
                api_keys.c.revoked_at.is_(None),
                or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > now),
            )
        )
    ).first()


async def all_services(conn: AsyncConnection) -> list[Row[Any]]:
    return list(await conn.execute(select(services).order_by(services.c.name)))


async def insert_service(conn: AsyncConnection, row: Mapping[str, object]) -> None:
    await conn.execute(services.insert(), [dict(row)])


async def update_service(conn: AsyncConnection, service_id: str, values: Mapping[str, object]) -> None:
    await conn.execute(services.update().where(services.c.id == service_id).values(**values))


async def insert_api_key(conn: AsyncConnection, row: Mapping[str, object]) -> None:
    await conn.execute(api_keys.insert(), [dict(row)])


async def api_key(conn: AsyncConnection, key_id: str, *, service_id: str) -> Row[Any] | None:
    statement = select(api_keys).where(api_keys.c.id == key_id, api_keys.c.service_id == service_id)
    return (await conn.execute(statement)).first()


async def api_key_by_digest(conn: AsyncConnection, digest: bytes) -> Row[Any] | None:
    return (await conn.execute(select(api_keys).where(api_keys.c.digest == digest))).first()


async def api_keys_of(conn: AsyncConnection, service_id: str) -> list[Row[Any]]:
    return list(
        await conn.execute(
            select(api_keys).where(api_keys.c.service_id == service_id).order_by(api_keys.c.id)
        )
    )


async def update_api_key(conn: AsyncConnection, key_id: str, values: Mapping[str, object]) -> None:
    await conn.execute(api_keys.update().where(api_keys.c.id == key_id).values(**values))


async def keep_credential(conn: AsyncConnection, row: Mapping[str, object]) -> None:
    """Keep the credential, or note that the one with this id is in use again.

    The update locks the row, so that it is not given up between now and the commit.
    """
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    statement = insert(credentials).values(**row)
    await conn.execute(
        statement.on_conflict_do_update(index_elements=["id"], set_={"used_at": row["used_at"]})
    )


async def credential(conn: AsyncConnection, credential_id: str) -> Row[Any] | None:
    return (await conn.execute(select(credentials).where(credentials.c.id == credential_id))).first()


async def credentials_by_id(conn: AsyncConnection, ids: Collection[str]) -> dict[str, Row[Any]]:
    found = await conn.execute(select(credentials).where(credentials.c.id.in_(ids)))
    return {row.id: row for row in found}


async def move_credentials(conn: AsyncConnection, service_id: str, *, base_url: str) -> None:
    """The provider of all the service's keys is at another address now."""
    await conn.execute(
        credentials.update().where(credentials.c.service_id == service_id).values(base_url=base_url)
    )


async def raw_credential_ids(conn: AsyncConnection, *, unused_since: datetime) -> list[str]:
    found = await conn.execute(
        select(credentials.c.id).where(credentials.c.is_raw, credentials.c.used_at < unused_since)
    )
    return [row.id for row in found]


async def delete_raw_credentials(
    conn: AsyncConnection, credential_ids: list[str], *, unused_since: datetime
) -> None:
    await conn.execute(
        credentials.delete().where(
            credentials.c.id.in_(credential_ids), credentials.c.is_raw, credentials.c.used_at < unused_since
        )
    )
