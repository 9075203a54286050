"""The table of audit entries. Rows are appended; a later job seals them in batches."""

from sqlalchemy import Column, LargeBinary, String, Table

from postroom.kit.database import BulkInsert, Id, Instant, metadata

audit_entries = Table(
    "audit_entries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("notification_id", Id, nullable=False, index=True),
    Column("service_id", Id, nullable=False),
    Column("correlation_id", String(64)),
    Column("detail", String(255)),
    # The actor's name and what they wrote.
    Column("personal", LargeBinary),
)

insert = BulkInsert(audit_entries)
