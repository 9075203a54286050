"""The tables of pushes. Whose browser it is stands there as blind indexes alone, its address sealed."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, SmallInteger, Table

from postroom.kit.database import Id, Instant, metadata

push_subscriptions = Table(
    "push_subscriptions",
    metadata,
    Column("id", Id, primary_key=True),
    # Blind index of the address: a browser has one subscription, whoever sits in front of it.
    Column("endpoint", LargeBinary, nullable=False),
    # Blind index of the host that takes its pushes: one that is slow holds up no other.
    Column("host", LargeBinary, nullable=False),
    # Blind indexes of the officer, as a reader and as they are addressed.
    Column("reader", LargeBinary, nullable=False),
    Column("audience", LargeBinary, nullable=False),
    # The address and the browser's keys: see subscriptions.py.
    Column("sealed", LargeBinary, nullable=False),
    Column("made_at", Instant, nullable=False),
    # When its officer was last seen with it, by a token that was valid.
    Column("confirmed_at", Instant, nullable=False),
    # When the browser says that it ends, where it does.
    Column("expires_at", Instant),
    # When its pushes are to be sent, null while there are none; while they are being sent, when that lapses.
    Column("due_at", Instant),
    # How often in a row its push service could not take what was sent.
    Column("failures", SmallInteger, nullable=False, server_default="0"),
)
Index("ix_push_subscriptions_endpoint", push_subscriptions.c.endpoint, unique=True)
Index("ix_push_subscriptions_reader", push_subscriptions.c.reader)
Index("ix_push_subscriptions_audience", push_subscriptions.c.audience)
Index("ix_push_subscriptions_confirmed", push_subscriptions.c.confirmed_at)
_is_due = push_subscriptions.c.due_at.is_not(None)
Index(
    "ix_push_subscriptions_due",
    push_subscriptions.c.host,
    push_subscriptions.c.due_at,
    postgresql_where=_is_due,
    sqlite_where=_is_due,
)

pushes = Table(
    "pushes",
    metadata,
    Column("subscription_id", Id, primary_key=True),
    Column("notification_id", Id, primary_key=True),
    # When it came to the screen.
    Column("at", Instant, nullable=False),
)
"""What is still to be pushed to whom. What is sent or given up leaves it."""

push_places = Table(
    "push_places",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
)
"""One row: the last change of screens that was looked at for pushes."""
