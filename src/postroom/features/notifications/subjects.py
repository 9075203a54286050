"""What notifications are about, for those that tell their service of them."""

from collections.abc import Collection

from sqlalchemy import select

from postroom.features.notifications.tables import notifications
from postroom.features.webhooks import Subject
from postroom.kit.database import AsyncConnection


async def subjects_of(conn: AsyncConnection, notification_ids: Collection[str]) -> dict[str, Subject]:
    """The subjects of those that are kept, removed ones too, by their ids."""
    columns = notifications.c
    found = await conn.execute(
        select(
            columns.id, columns.reference, columns.target_id, columns.target_type, columns.correlation_id
        ).where(columns.id.in_(notification_ids))
    )
    return {
        row.id: Subject(row.reference, row.target_id, row.target_type, row.correlation_id) for row in found
    }
