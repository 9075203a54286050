"""The examples of the OpenAPI document: real requests and answers, with people who do not exist."""

from typing import Any

_TEMPLATE_ID = "9500a44b-8a7f-4fff-a3b8-45763f84874e"
_DELIVERY = {
    "id": "01a20ad8-4a56-73f5-9ece-71a20565adb1",
    "channel": "Email",
    "status": "delivered",
    "notifyId": "76ebfdb5-c4d6-41a4-974b-67daf74028e3",
    "attempts": 1,
    "sentAt": "2026-11-12T17:27:47.869406Z",
    "completedAt": "2026-11-12T17:27:47.917033Z",
    "failureReason": None,
    "documentId": None,
    "templateVersion": 1,
}

NEW_NOTIFICATIONS: dict[str, Any] = {
    "email": {
        "notificationType": "Email",
        "serviceKey": "income",
        "templateId": _TEMPLATE_ID,
        "email": "amala@example.com",
        "personalisationParams": {"name": "Amala", "ref": "X1"},
    },
    "screen": {
        "targetId": "7e6041e2-01b6-4c41-9ccd-5b0932616b50",
        "targetType": "MissedServiceChargePayments",
        "notificationType": "Screen",
        "user": "test.user@hackney.gov.uk",
        "message": "3 missed service charge payments have exceeded the tolerance period",
        "requireAction": True,
    },
    "letter and text": {
        "notificationType": ["Letter", "Text"],
        "serviceKey": "repairs",
        "templateIds": {"Letter": _TEMPLATE_ID, "Text": "c6a75cc9-1193-4d0e-8a7c-8a1f0e1c9f55"},
        "mobileNumber": "07700 900123",
        "personalisationParams": {
            "name": "Amala",
            "code": "1234",
            "addressLine1": "Amala Bird",
            "addressLine2": "123 High Street",
            "addressLine3": "SW14 6BH",
        },
    },
}

NOTIFICATION: dict[str, Any] = {
    "id": "01a20ad8-4a56-73f5-9ece-71a17e565c2f",
    "targetId": "7e6041e2-01b6-4c41-9ccd-5b0932616b50",
    "targetType": "FailedDirectDebits",
    "notificationType": "Email",
    "user": None,
    "message": None,
    "serviceKey": None,
    "templateId": _TEMPLATE_ID,
    "mobileNumber": None,
    "email": "amala@example.com",
    "requireAction": False,
    "requireEmailNotification": False,
    "requireSmsNotification": False,
    "requireLetter": False,
    "isReadStatus": False,
    "sentMessageDetails": ["Email delivered 2026-11-12T17:27:47.917033Z"],
    "actionNote": None,
    "performedActionDoneBy": None,
    "performedActionType": None,
    "isRemovable": True,
    "personalisationParams": {"name": "Amala", "ref": "X1"},
    "performedActionDate": None,
    "createdDate": "2026-11-12T17:27:47.622467Z",
    "reference": None,
    "templateIds": {"Email": _TEMPLATE_ID},
    "templateUnchecked": False,
    "warnings": [],
    "deliveries": [_DELIVERY],
    "sensitive": False,
    "followOnAction": None,
    "escalation": [],
    "threadKey": None,
    "expiresAt": None,
    "endedAt": None,
    "endedBy": None,
    "replacedBy": None,
    "isSeenStatus": False,
    "isArchived": False,
    "isUnreadable": False,
}

ACTIONS: dict[str, Any] = {
    "read": {"actionType": "IsRead"},
    "archived": {"actionType": "Archived"},
    "approve": {"actionType": "Approved", "actionNote": "Checked against the estimate."},
}

MESSAGE_STATUS: dict[str, Any] = {
    "id": "76ebfdb5-c4d6-41a4-974b-67daf74028e3",
    "completedAt": "2026-11-12T17:27:47.917033Z",
    "emailAddress": "amala@example.com",
    "body": "Message",
    "subject": "Welcome",
    "line1": None,
    "line2": None,
    "line3": None,
    "line4": None,
    "line5": None,
    "line6": None,
    "phoneNumber": None,
    "postage": None,
    "reference": "01a20ad8-4a56-73f5-9ece-71a20565adb1",
    "sentAt": "2026-11-12T17:27:47.869406Z",
    "status": "delivered",
    "type": "email",
    "createdByName": None,
    "template": {
        "id": _TEMPLATE_ID,
        "path": f"https://api.notifications.service.gov.uk/v2/template/{_TEMPLATE_ID}/version/1",
        "version": 1,
    },
    "line7": None,
    "postcode": None,
}

TEMPLATE: dict[str, Any] = {
    "id": _TEMPLATE_ID,
    "name": "An email",
    "type": "Email",
    "version": 1,
    "subject": "Hello ((name))",
    "body": "Dear ((name)), your reference is ((ref)).",
    "placeholders": ["name", "ref"],
}

PREVIEWS: dict[str, Any] = {"with its values": {"personalisationParams": {"name": "Amala", "ref": "X1"}}}

PREVIEW: dict[str, Any] = {
    "id": _TEMPLATE_ID,
    "type": "Email",
    "version": 1,
    "subject": "Hello Amala",
    "body": "Dear Amala, your reference is X1.",
    "html": "<p>Dear Amala, your reference is X1.</p>",
}

VALIDATION: dict[str, Any] = {"valid": True, "warnings": [], "templateUnchecked": False}

RECEIPT: dict[str, Any] = {
    "id": "76ebfdb5-c4d6-41a4-974b-67daf74028e3",
    "reference": "01a20ad8-4a56-73f5-9ece-71a20565adb1",
    "to": "amala@example.com",
    "status": "delivered",
    "created_at": "2026-11-12T17:27:47.622467Z",
    "completed_at": "2026-11-12T17:27:47.917033Z",
    "sent_at": "2026-11-12T17:27:47.869406Z",
    "notification_type": "email",
    "template_id": _TEMPLATE_ID,
    "template_version": 1,
}

TIMELINE: list[dict[str, Any]] = [
    {
        "at": "2026-11-12T17:27:47.869406Z",
        "kind": "accepted",
        "text": "Accepted and kept.",
        "channel": None,
        "deliveryId": None,
        "actor": None,
        "note": None,
        "correlationId": "4f9a1c52-6f0e-4f0a-9c5e-2f3b9f6f7d10",
        "isAhead": False,
    },
    {
        "at": "2026-11-12T17:27:47.921876Z",
        "kind": "answered",
        "text": "Try 1: GOV.UK Notify answered 201 and took it, made from version 1.",
        "channel": "Email",
        "deliveryId": "01a20ad8-4a56-73f5-9ece-71a20565adb1",
        "actor": None,
        "note": None,
        "correlationId": None,
        "isAhead": False,
    },
]

COUNT: dict[str, Any] = {"count": 12, "isExact": True}

NEW_BULK: list[dict[str, Any]] = [NEW_NOTIFICATIONS["email"], NEW_NOTIFICATIONS["screen"]]

BULK_RESULTS: list[dict[str, Any]] = [
    {"index": 0, "status": 201, "notification": NOTIFICATION},
    {
        "index": 1,
        "status": 400,
        "problem": {
            "type": "about:blank",
            "title": "Bad Request",
            "status": 400,
            "detail": "1 field(s) at fault",
            "userErrorMessage": "Some of what was sent needs to be corrected.",
            "devErrorMessages": ["message: Enter a message."],
            "errors": [{"field": "message", "message": "Enter a message."}],
        },
    },
]

DEAD_LETTER: dict[str, Any] = {
    "id": "01a20ad8-4a56-73f5-9ece-71a20565adb1",
    "notificationId": "01a20ad8-4a56-73f5-9ece-71a17e565c2f",
    "channel": "Email",
    "templateId": _TEMPLATE_ID,
    "reference": None,
    "cause": "given-up",
    "reason": "given up: GOV.UK Notify could not be reached",
    "explanation": "GOV.UK Notify took none of the tries, and they went on for as long as is tried. "
    "Nothing was sent. A replay tries again for as long.",
    "createdAt": "2026-11-12T17:27:47.869406Z",
    "diedAt": "2026-11-15T17:30:02.104512Z",
    "replayedAt": None,
    "attempts": [
        {
            "number": 1,
            "startedAt": "2026-11-12T17:27:47.917033Z",
            "endedAt": "2026-11-12T17:27:47.921876Z",
            "outcome": "try-again",
            "statusCode": None,
            "reason": "GOV.UK Notify could not be reached",
        }
    ],
}

REPLAYS: dict[str, Any] = {"safe": {}, "at a risk": {"maySendTwice": True}}

REPLAYS_OF_MANY: dict[str, Any] = {
    "of one channel": {"channel": "Text", "cause": "given-up"},
    "all": {"all": True},
}

REPLAYED: dict[str, Any] = {"replayed": 1}
