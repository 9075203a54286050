"""The tables of the audit: entries, which are appended, and seals, which chain them in batches."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table

from postroom.kit.database import BulkInsert, Id, Instant, metadata

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("kind", String(32), nullable=False),
    # Null where it is about the service itself: its keys, its grants, its settings.
    Column("notification_id", Id, index=True),
    Column("service_id", Id, nullable=False),
    Column("correlation_id", String(64)),
    Column("detail", String(255)),
    # Who did it, what they wrote and where they called from, sealed: see values.py.
    Column("personal", LargeBinary),
    # A salted digest of each of these, which stays when a value is given up.
    Column("personal_digests", LargeBinary),
    # Blind index of who did it.
    Column("actor_index", LargeBinary),
    # The number of the seal that holds it, null until then.
    Column("seal", BigInteger),
)

_unsealed = audit_entries.c.seal.is_(None)
Index("ix_audit_entries_unsealed", audit_entries.c.id, postgresql_where=_unsealed, sqlite_where=_unsealed)
_has_actor = audit_entries.c.actor_index.is_not(None)
Index(
    "ix_audit_entries_actor",
    audit_entries.c.actor_index,
    audit_entries.c.id,
    postgresql_where=_has_actor,
    sqlite_where=_has_actor,
)

audit_seals = Table(
    "audit_seals",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("sealed_at", Instant, nullable=False),
    Column("entries", Integer, nullable=False),
    # The id (16 bytes) and the digest (32) of each entry, in their order.
    Column("digests", LargeBinary, nullable=False),
    # Of all this, and of the hash before it.
    Column("hash", LargeBinary, nullable=False),
    # The hash under our own secret: who has the database alone cannot make a chain.
    Column("mac", LargeBinary, nullable=False),
)

PERSONAL_COLUMNS = ("personal", "personal_digests", "actor_index")

insert = BulkInsert(audit_entries, without=("seal",))
insert_without_values = BulkInsert(audit_entries, without=("seal", *PERSONAL_COLUMNS))
insert_accepted = BulkInsert(
    audit_entries, without=("detail", "seal", *PERSONAL_COLUMNS), always={"kind": "accepted"}
)
