"""What the operations ask for, and how their answers are read."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from postroom_client import models
from postroom_client.acting import act
from postroom_client.errors import Invalid
from postroom_client.operation import Operation, Response
from postroom_client.outgoing import NewNotification, attachment, email, letter, screen, text
from postroom_client.reading import count, get, list_notifications, message_status, template, templates
from postroom_client.sending import notify, send_many, sending

MADE = {"id": "n-1", "notificationType": "Screen,Email", "createdDate": "2026-11-25T09:30:00.5Z"}
WHEN = datetime(2026, 11, 25, 9, 30, 0, 500_000, tzinfo=UTC)


def body_of(operation: Operation[Any]) -> Any:
    return json.loads(operation.request.body or b"null")


def answer(body: Any, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status=200, headers=named, body=json.dumps(body).encode())


EMAIL = {"notificationType": ["Email"], "email": "amala@example.com", "templateId": "welcome"}


@pytest.mark.parametrize(
    ("notification", "wire"),
    [
        pytest.param(email(to="amala@example.com", template="welcome"), EMAIL, id="an email"),
        pytest.param(
            email(
                to="amala@example.com",
                template="welcome",
                personalisation={"name": "Amala"},
                target_id="t-1",
                require_action=False,
                reference=None,
                more={"sendAt": "2027-01-01T09:00:00Z"},
            ),
            EMAIL
            | {
                "personalisationParams": {"name": "Amala"},
                "targetId": "t-1",
                "requireAction": False,
                "sendAt": "2027-01-01T09:00:00Z",
            },
            id="an email with details",
        ),
        pytest.param(
            text(to="07700 900456", template="code", personalisation={"code": "1"}),
            {
                "notificationType": ["Text"],
                "mobileNumber": "07700 900456",
                "templateId": "code",
                "personalisationParams": {"code": "1"},
            },
            id="a text",
        ),
        pytest.param(
            letter(
                address=["Joe Bloggs", "1 High Street", "SW14 6BH"],
                template="l",
                personalisation={"name": "Joe"},
            ),
            {
                "notificationType": ["Letter"],
                "templateId": "l",
                "personalisationParams": {
                    "name": "Joe",
                    "addressLine1": "Joe Bloggs",
                    "addressLine2": "1 High Street",
                    "addressLine3": "SW14 6BH",
                },
            },
            id="a letter",
        ),
        pytest.param(
            screen(target_id="t-1", message="Debit failed", target_type="Person", user="group:finance"),
            {
                "notificationType": ["Screen"],
                "targetId": "t-1",
                "message": "Debit failed",
                "targetType": "Person",
                "user": "group:finance",
            },
            id="on a screen",
        ),
        pytest.param(
            NewNotification(
                channels=["Screen", "Email"],
                templates={"Email": "welcome"},
                require_sms_notification=True,
            ),
            {
                "notificationType": ["Screen", "Email"],
                "templateIds": {"Email": "welcome"},
                "requireSmsNotification": True,
            },
            id="several channels",
        ),
    ],
)
def test_a_notification_on_the_wire(notification: NewNotification, wire: dict[str, Any]) -> None:
    assert notification.wire(service=None) == wire
    assert notification.wire(service="demo") == wire | {"serviceKey": "demo"}


def test_a_file_is_a_value() -> None:
    assert attachment(b"%PDF", filename="bill.pdf", confirm_email_before_download=False) == {
        "file": "JVBERg==",
        "filename": "bill.pdf",
        "confirm_email_before_download": False,
    }


def test_each_send_draws_a_key_of_its_own_unless_it_is_given_one() -> None:
    send = sending(email)
    drawn = [send("demo", to="joe@example.com", template="t").request.headers for _ in range(2)]
    given = send("demo", to="joe@example.com", template="t", idempotency_key="mine").request.headers

    assert drawn[0]["Idempotency-Key"] != drawn[1]["Idempotency-Key"]
    assert given["Idempotency-Key"] == "mine"


def test_nothing_that_was_sent_shows_in_a_repr() -> None:
    new = email(to="joe@example.com", template="t", personalisation={"name": "Joe"}, user="amala@example.com")
    made = get("demo", "n-1").parse(
        answer(MADE | {"email": "joe@example.com", "personalisationParams": {"name": "Joe"}})
    )

    for shown in (repr(new), repr(notify("demo", new)), repr(made)):
        assert not any(secret in shown for secret in ("joe@example.com", "amala@example.com", "'Joe'"))


def test_reads_a_notification_and_passes_over_what_it_does_not_know() -> None:
    delivery = {"id": "d-1", "channel": "Email", "status": "sent", "sentAt": "2026-11-25T09:30:00.5Z", "x": 1}
    body = MADE | {"deliveries": [delivery], "warnings": None, "somethingNew": {"a": 1}}

    made = get("demo", "n-1").parse(answer(body, etag='"3"', idempotent_replay="true"))

    assert made == models.Notification(
        id="n-1",
        notification_type="Screen,Email",
        created_date=WHEN,
        deliveries=(models.Delivery(id="d-1", channel="Email", status="sent", sent_at=WHEN),),
        etag='"3"',
        replayed=True,
    )
    assert made.channels == ("Screen", "Email")
    assert not made.deliveries[0].has_ended


def test_many_go_in_one_request_with_one_key() -> None:
    new = [text(to=number, template="t") for number in ("07700 900456", "07700 900457")]
    operation = send_many("demo", new, idempotency_key="k-1")

    one = {"notificationType": ["Text"], "templateId": "t", "serviceKey": "demo"}
    assert operation.request.headers["Idempotency-Key"] == "k-1"
    assert body_of(operation) == [
        one | {"mobileNumber": "07700 900456"},
        one | {"mobileNumber": "07700 900457"},
    ]


def test_one_of_many_has_no_key_of_its_own() -> None:
    with pytest.raises(ValueError, match="one key together"):
        send_many("demo", [text(to="07700 900456", template="t", idempotency_key="mine")])


def test_reads_what_became_of_many() -> None:
    problem = {"status": 400, "detail": "x", "errors": [{"field": "email", "message": "Use an address."}]}
    body = [
        {"index": 0, "status": 201, "notification": MADE, "idempotentReplay": True},
        {"index": 1, "status": 400, "problem": problem},
    ]

    result = send_many("demo", [], idempotency_key="k-1").parse(answer(body))

    [made], [refused] = result.accepted, result.refused
    assert (made.id, made.replayed, result.idempotency_key) == ("n-1", True, "k-1")
    assert isinstance(refused.error, Invalid)
    assert (refused.index, refused.error.errors) == (1, {"email": "Use an address."})


def test_filters_become_a_query() -> None:
    operation = list_notifications(
        None,
        channels=["Email", "Text"],
        user="amala@hackney.gov.uk",
        is_read=False,
        created_from=datetime(2026, 11, 25, 9, tzinfo=timezone(timedelta(hours=1))),
        page_size=20,
    )

    assert operation.request.query == [
        ("notificationType", "Email"),
        ("notificationType", "Text"),
        ("user", "amala@hackney.gov.uk"),
        ("isReadStatus", "false"),
        ("createdFrom", "2026-11-25T09:00:00+01:00"),
        ("limit", "20"),
    ]


def test_a_count_has_the_same_filters_and_no_pages() -> None:
    operation = count(None, channels="Email", require_action=True)

    assert operation.request.path == "/notifications/count"
    assert operation.request.query == [("notificationType", "Email"), ("requireAction", "true")]
    assert operation.parse(answer({"count": 3, "isExact": False})) == models.Count(count=3, is_exact=False)


@pytest.mark.parametrize("describe", [count, list_notifications])
def test_a_filter_that_is_none_is_not_passed_over(describe: Any) -> None:
    with pytest.raises(TypeError, match=r"^There is no filter targetid\.$"):
        describe(None, targetid="t")


def test_one_channel_needs_no_list() -> None:
    assert list_notifications(None, channels="Email").request.query[0] == ("notificationType", "Email")


def test_a_time_has_a_zone() -> None:
    with pytest.raises(ValueError, match="zone"):
        list_notifications(None, created_to=datetime(2026, 11, 25))


@pytest.mark.parametrize(
    ("link", "query"),
    [
        pytest.param(
            '</notifications?limit=2&cursor=c>; rel="next"', [("limit", "2"), ("cursor", "c")], id="next"
        ),
        pytest.param(
            "<https://elsewhere.example/api/notifications?cursor=c%2B>; rel=next",
            [("cursor", "c+")],
            id="another host and path, of which nothing is taken",
        ),
        pytest.param(
            '</notifications?cursor=a>; rel="prev", </notifications?cursor=c>; title="x"; rel="next"',
            [("cursor", "c")],
            id="the second of two",
        ),
        pytest.param('</notifications?cursor=a>; rel="prev"', None, id="another relation"),
        pytest.param("nonsense", None, id="nonsense"),
    ],
)
def test_the_next_page_is_that_of_the_link(link: str, query: Any) -> None:
    page = list_notifications(None).parse(answer([MADE], link=link))

    following = page.next
    assert [item.id for item in page.items] == ["n-1"]
    assert (following and following.request.query) == query
    assert (following and following.request.path) == (query and "/notifications")


def test_no_link_is_the_last_page() -> None:
    assert list_notifications(None).parse(answer([])).next is None


@pytest.mark.parametrize(
    "describe", [templates, lambda name: template(name, "t"), lambda name: message_status(name, "m")]
)
def test_what_is_of_a_service_asks_for_its_name(describe: Any) -> None:
    with pytest.raises(ValueError, match="Name the service"):
        describe(None)


def test_nothing_in_a_path_leads_elsewhere() -> None:
    assert get(None, "../templates?x").request.path == "/notifications/..%2Ftemplates%3Fx"


def test_an_action_goes_with_its_note_and_its_version() -> None:
    operation = act(None, "n-1", "Approved", note="Fine", etag='"3"')

    assert body_of(operation) == {"actionType": "Approved", "actionNote": "Fine"}
    assert operation.request.headers["If-Match"] == '"3"'
