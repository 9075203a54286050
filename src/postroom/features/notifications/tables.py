"""The tables of notifications. Ciphertext and blind indexes stand for personal data from the start.

There are no foreign keys and, but for the primary keys, no unique ones on the large tables: they would
cost every insert, and stand in the way of partitions. What belongs together is written in one transaction.
"""

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)

from postroom.domain.action import ActionType
from postroom.domain.status import FINAL, Status
from postroom.kit.database import Id, Instant, metadata

notifications = Table(
    "notifications",
    metadata,
    Column("id", Id, primary_key=True),
    Column("service_id", Id, nullable=False),
    Column("target_id", String(128)),
    Column("target_type", String(64)),
    # The channels asked for as the type, and those that a require… flag added, as bits.
    Column("channels", SmallInteger, nullable=False),
    Column("extra_channels", SmallInteger, nullable=False),
    Column("reference", String(128)),
    # Blind index of whom it addresses: an officer, a group or a patch.
    Column("audience", LargeBinary),
    # As it was asked for, by its id; which template each channel uses is in the next.
    Column("template_id", String(128)),
    # {"Email": template id, …} as JSON
    Column("template_ids", Text, nullable=False),
    Column("template_unchecked", Boolean, nullable=False),
    Column("require_action", Boolean, nullable=False),
    # Sealed `Personal`.
    Column("personal", LargeBinary),
    Column("email_index", LargeBinary),
    Column("mobile_index", LargeBinary),
    Column("correlation_id", String(64)),
    Column("created_at", Instant, nullable=False),
    Column("version", Integer, nullable=False),
    Column("first_read_at", Instant),
    Column("action", String(16)),
    Column("action_at", Instant),
    # Sealed `ActionDetail`.
    Column("action_personal", LargeBinary),
    Column("removed_at", Instant),
)


def _listed(statuses: frozenset[Status]) -> str:
    return ", ".join(f"'{status}'" for status in sorted(statuses))


_visible = notifications.c.removed_at.is_(None)


def _index(name: str, *columns: str, where: ColumnElement[bool]) -> None:
    """An index over what can still be seen, newest last. A row without a value costs it nothing."""
    Index(
        f"ix_notifications_{name}",
        *(notifications.c[column] for column in columns),
        notifications.c.id,
        postgresql_where=where,
        sqlite_where=where,
    )


_index("service", "service_id", where=_visible)
_index("service_target", "service_id", "target_id", where=_visible & notifications.c.target_id.is_not(None))
_index(
    "service_reference", "service_id", "reference", where=_visible & notifications.c.reference.is_not(None)
)
_index("correlation_id", "correlation_id", where=_visible & notifications.c.correlation_id.is_not(None))
_index("audience", "audience", where=_visible & notifications.c.audience.is_not(None))

# Of what was removed only the audit asks.
_removed = notifications.c.removed_at.is_not(None) & notifications.c.target_id.is_not(None)
Index(
    "ix_notifications_removed_target",
    notifications.c.target_id,
    postgresql_where=_removed,
    sqlite_where=_removed,
)

OUTSTANDING = f"require_action AND (action IS NULL OR action = '{ActionType.INITIATED}')"
"""That it waits for somebody's decision, in SQL: as domain/action.py has it."""
_index(
    "outstanding",
    "audience",
    where=_visible & notifications.c.audience.is_not(None) & text(OUTSTANDING),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("notification_id", Id, nullable=False, index=True),
    Column("service_id", Id, nullable=False),
    Column("credential_id", Id, nullable=False),
    Column("channel", String(8), nullable=False),
    Column("template_id", Id, nullable=False),
    Column("status", String(24), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant),
    Column("lease_until", Instant),
    Column("notify_id", Id),
    Column("attempts", Integer, nullable=False),
    Column("open_attempt", Id),
    Column("open_attempt_at", Instant),
    Column("looks", SmallInteger, nullable=False),
    Column("polls", SmallInteger, nullable=False),
    Column("sent_at", Instant),
    Column("completed_at", Instant),
    Column("reason", Text),
    # 0 what came alone, 1 what came in bulk: see domain/lane.py.
    Column("lane", SmallInteger, nullable=False, server_default="0"),
    # Blind index of the number or address that it goes to, as the provider dials or writes it.
    Column("recipient_index", LargeBinary),
    # Blind index of what a text says: its template and values.
    Column("content_index", LargeBinary),
    Column("international", Boolean),
    Column("replayed_at", Instant),
    # The template's version that it was checked against, null where it was not; and the one that was used.
    Column("template_version", Integer),
    Column("used_version", Integer),
)

_due = deliveries.c.due_at.is_not(None)
Index("ix_deliveries_due", deliveries.c.lane, deliveries.c.due_at, postgresql_where=_due, sqlite_where=_due)
_known_to_provider = deliveries.c.notify_id.is_not(None)
Index(
    "ix_deliveries_notify_id",
    deliveries.c.notify_id,
    postgresql_where=_known_to_provider,
    sqlite_where=_known_to_provider,
)

_has_recipient = deliveries.c.recipient_index.is_not(None)
Index(
    "ix_deliveries_recipient",
    deliveries.c.recipient_index,
    deliveries.c.notification_id,
    postgresql_where=_has_recipient,
    sqlite_where=_has_recipient,
)

_is_dead = deliveries.c.status == Status.DEAD.value
Index(
    "ix_deliveries_dead",
    deliveries.c.service_id,
    deliveries.c.id,
    postgresql_where=_is_dead,
    sqlite_where=_is_dead,
)

UNACCOUNTED = (
    f"NOT (completed_at IS NOT NULL AND due_at IS NULL AND status IN ({_listed(FINAL)})"
    f" OR completed_at IS NULL AND due_at IS NOT NULL AND status IN ({_listed(frozenset(Status) - FINAL)}))"
)
"""A delivery that has neither a declared end nor a next step, in SQL.

The index on it is empty where all is well: however many deliveries there are, it is known at once.
"""
Index(
    "ix_deliveries_unaccounted",
    deliveries.c.id,
    postgresql_where=text(UNACCOUNTED),
    sqlite_where=text(UNACCOUNTED),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("delivery_id", Id, nullable=False, index=True),
    Column("number", Integer, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    # None while it is open: the provider may have taken it.
    Column("outcome", String(16)),
    Column("status_code", SmallInteger),
    Column("reason", Text),
)

receipts = Table(
    "receipts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("service_id", Id, nullable=False),
    # As the provider wrote it: it need not be one that we know.
    Column("notify_id", String(64), nullable=False, index=True),
    Column("status", String(64), nullable=False),
    Column("delivery_id", Id),
    Column("received_at", Instant, nullable=False),
    Column("applied", Boolean, nullable=False),
)
