"""What Notify says later, in our words."""

import pytest

from postroom.channels.govuk_notify import Receipt, status_of
from postroom.channels.govuk_notify.receipts import decode
from postroom.domain.status import Status


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("created", Status.SENDING),
        ("sending", Status.SENDING),
        ("pending", Status.SENDING),
        ("accepted", Status.SENDING),
        ("pending-virus-check", Status.SENDING),
        ("sent", Status.SENT),
        ("delivered", Status.DELIVERED),
        ("received", Status.RECEIVED),
        ("cancelled", Status.CANCELLED),
        ("permanent-failure", Status.PERMANENT_FAILURE),
        ("temporary-failure", Status.TEMPORARY_FAILURE),
        ("technical-failure", Status.TECHNICAL_FAILURE),
        ("validation-failed", Status.VALIDATION_FAILED),
        ("virus-scan-failed", Status.VIRUS_SCAN_FAILED),
        ("returned-letter", Status.RETURNED),
        ("a-new-one", None),
        ("Delivered", None),
        ("", None),
    ],
)
def test_status_of(theirs: str, ours: Status | None) -> None:
    assert status_of(theirs) is ours


def test_a_receipt_is_read_without_its_recipient() -> None:
    raw = (
        b'{"id": "n-1", "reference": "r-1", "to": "amala@example.com", "status": "delivered",'
        b' "created_at": "2026-11-02T12:00:00.0Z", "completed_at": "2026-11-02T12:00:03.0Z",'
        b' "sent_at": "2026-11-02T12:00:01.0Z", "notification_type": "email", "template_id": "t", "new": 1}'
    )

    receipt = decode(raw)

    assert receipt == Receipt(
        id="n-1",
        status="delivered",
        reference="r-1",
        completed_at="2026-11-02T12:00:03.0Z",
        sent_at="2026-11-02T12:00:01.0Z",
        notification_type="email",
    )
    assert "amala" not in repr(receipt)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"null",
        b'{"id": "n-1"}',
        b'{"status": "sent"}',
        b'{"id": 1, "status": "sent"}',
        b"\xff",
        b"{",
    ],
)
def test_what_is_no_receipt(raw: bytes) -> None:
    assert decode(raw) is None
