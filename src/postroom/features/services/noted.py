"""What is changed of a service is noted in the audit: what, not to which value."""

from postroom.features import audit
from postroom.kit.database import AsyncConnection


async def note_change(conn: AsyncConnection, service_id: str, *fields: str, by: audit.By | None) -> None:
    """Note which fields somebody has set. Nothing where nobody is named."""
    if fields:
        detail = " ".join(fields)[:255]
        await audit.record_of_service(
            conn, audit.Kind.SERVICE_CHANGED, service_id=service_id, by=by, detail=detail
        )
