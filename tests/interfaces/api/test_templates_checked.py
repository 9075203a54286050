"""Templates are previewed, and what does not fit them is refused before it is accepted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from postroom.channels.plain_values import MARK
from postroom.features.services import set_trusted_params

pytestmark = pytest.mark.asyncio(loop_scope="module")

NO_ID = "00000000-0000-4000-8000-000000000000"
LINK = "[Tell us](https://www.hackney.gov.uk/survey)"


@asynccontextmanager
async def edited(office: Any, alias: str, body: str, **others: str) -> AsyncIterator[str]:
    """A template that says something else for a while; its id."""
    template_id = office.templates[alias]
    before = (await office.get(f"/templates/demo/{template_id}")).body
    office.sandbox.edit_template(template_id, body=body, **others)
    await office.get("/templates/demo?refresh=true")
    try:
        yield template_id
    finally:
        office.sandbox.edit_template(
            template_id,
            body=before["body"],
            **({} if before["subject"] is None else {"subject": before["subject"]}),
        )
        await office.get("/templates/demo?refresh=true")


async def previewed(office: Any, alias: str, values: Any, **others: Any) -> Any:
    path = f"/templates/demo/{office.templates[alias]}/preview"
    return await office.call("POST", path, body={"personalisationParams": values} | others)


def sent(office: Any, item: Any) -> Any:
    (one,) = office.sandbox.sent(reference=item["deliveries"][0]["id"])
    return one


async def test_a_preview_is_what_goes_out(office: Any) -> None:
    answer = await previewed(office, "email", {"name": "Amala", "ref": "X1"})

    shown = answer.body
    html = shown.pop("html")
    assert (answer.status, shown) == (
        200,
        {
            "id": office.templates["email"],
            "type": "Email",
            "version": 1,
            "subject": "Hello Amala",
            "body": "Dear Amala,\n\nYour reference is X1.\n\n# Heading\n\n* one\n* two\n\nhttps://www.gov.uk",
        },
    )
    assert "Dear Amala," in html


@pytest.mark.parametrize(
    ("alias", "values", "subject", "body"),
    [
        ("text", {"name": "Joe", "code": 12}, None, "Hello Joe, your code is 12"),
        ("letter", {"name": "Joe"}, "Letter to Joe", "Dear Joe, body"),
        ("email_plain", None, "Plain", "Nothing to fill in"),
        ("email_file", {"link_to_file": {"file": "eA==", "filename": "a.txt"}}, "File", "Download: (a link"),
    ],
)
async def test_each_kind_is_previewed(
    alias: str, values: Any, subject: str | None, body: str, office: Any
) -> None:
    answer = await previewed(office, alias, values)

    assert (answer.status, answer.body["subject"]) == (200, subject)
    assert answer.body["body"].startswith(body)


async def test_a_preview_shows_values_as_they_will_be_shown(office: Any) -> None:
    values = {"name": "# Joe", "ref": LINK}

    plain = (await previewed(office, "email", values)).body
    trusting = (await previewed(office, "email", values, trustedParams=["ref"])).body

    assert "survey" in plain["html"]
    assert '/survey"' not in plain["html"]
    assert f"Dear {MARK}# Joe" in plain["body"]
    assert "<a " in trusting["html"].split("Heading")[0]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["personalisationParams.code", "personalisationParams.name"]),
        (
            {"personalisationParams": {"name": {"x": 1}}, "trustedParams": ["link"], "more": 1},
            ["more", "personalisationParams.code", "personalisationParams.name", "trustedParams"],
        ),
        ({"personalisationParams": {"name": "x" * 918, "code": 1}}, ["personalisationParams"]),
        ({"personalisationParams": {"name": "x\x00", "code": 1}}, ["personalisationParams.name"]),
        (
            {"personalisationParams": [1]},
            ["personalisationParams", "personalisationParams.code", "personalisationParams.name"],
        ),
    ],
)
async def test_a_preview_names_every_fault(body: Any, fields: list[str], office: Any) -> None:
    path = f"/templates/demo/{office.templates['text']}/preview"

    problem = await office.problem(400, "POST", path, body=body)

    assert sorted(error["field"] for error in problem["errors"]) == fields


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/templates/nobody/{id}/preview", 404),
        (f"/templates/demo/{NO_ID}/preview", 404),
        ("/templates/other/{id}/preview", 403),
        ("/templates/demo/x/preview", 400),
        (f"/templates/sample-{NO_ID}-{NO_ID}/{{id}}/preview", 424),
    ],
)
async def test_a_preview_is_refused(path: str, status: int, office: Any) -> None:
    await office.problem(status, "POST", path.format(id=office.templates["email"]), body={})


async def test_a_preview_says_that_notify_is_away(office: Any, calm: None) -> None:
    await office.get("/templates/demo")
    office.sandbox.fail("down")

    answer = await previewed(office, "email", {"name": "Amala", "ref": "X1"})

    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert answer.body["detail"] == "GOV.UK Notify does not answer now."


LONG = "x" * 918


@pytest.mark.parametrize(
    ("body", "values", "message"),
    [
        ("((a))", {"a": LONG}, None),
        (
            "((a))",
            {"a": LONG + "x"},
            "A text message has up to 918 characters; with these values it has 919.",
        ),
        ("((a))!", {"a": LONG}, "A text message has up to 918 characters; with these values it has 919."),
        ("((a))((a))", {"a": "é" * 459}, None),
        ("((a)) ((b))", {"a": "x" * 500, "b": ["y" * 417]}, None),
        ("((a))", {"a": f"  {LONG}  "}, None),
        (f"((a??{LONG}x))y", {"a": "no"}, None),
        (f"((a??{LONG}))y", {"a": True}, "A text message has up to 918 characters"),
        ("((a??b))", {"a": "no"}, "With these values nothing is left to send."),
        ("((a))", {"a": " "}, "With these values nothing is left to send."),
    ],
)
async def test_a_text_is_measured_as_notify_does(
    body: str, values: Any, message: str | None, office: Any
) -> None:
    async with edited(office, "text", body):
        request = office.text(personalisationParams=values)
        if message is None:
            made = await office.accepted(request)
            assert (await office.ended(made["id"]))["deliveries"][0]["status"] == "delivered"
        else:
            refused = await office.refused(request)
            assert refused.fields["personalisationParams"].startswith(message)
            assert list(refused.fields) == ["personalisationParams"]


@pytest.mark.parametrize(("times", "is_right"), [(3, True), (5, False)])
async def test_an_email_is_measured_in_bytes(times: int, is_right: bool, office: Any) -> None:
    async with edited(office, "email_plain", "((a))" * times):
        request = office.email(
            templateId=office.templates["email_plain"], personalisationParams={"a": "x" * 450_000}
        )
        answer = await office.post(request, headers={})
        assert answer.status == (201 if is_right else 400), answer.text[:200]


async def test_a_letters_code_is_measured(office: Any) -> None:
    async with edited(office, "letter", "Dear ((name))\nQR: ((link))"):
        request = office.letter()
        request["personalisationParams"]["link"] = "https://example.com/" + "x" * 485
        refused = await office.refused(request)

        assert refused.fields == {
            "personalisationParams": "A QR code holds up to 504 bytes; this would have 505."
        }


async def test_what_is_shown_where_asked_for_needs_its_value(office: Any) -> None:
    async with edited(office, "text", "Hello((urgent?? now))"):
        refused = await office.refused(office.text(personalisationParams={"other": 1}))
        assert refused.fields == {"personalisationParams.urgent": "The template needs this value."}
        made = await office.accepted(office.text(personalisationParams={"Urgent": "yes"}))
        await office.ended(made["id"])
        assert (made["warnings"], sent(office, made).body) == ([], "Hello now")


async def test_values_make_no_links_unless_they_are_trusted(office: Any) -> None:
    values = {"name": "Joe", "ref": LINK}

    plain = await office.accepted(office.email(personalisationParams=values))
    trusting = await office.accepted(office.email(personalisationParams=values, trustedParams=["REF"]))

    assert plain["warnings"] == [
        "ref holds a web address that will not be a link unless trustedParams names it"
    ]
    assert trusting["warnings"] == []
    for made in (plain, trusting):
        await office.ended(made["id"])
        assert made["personalisationParams"] == values
    assert LINK not in sent(office, plain).body
    assert sent(office, plain).body.replace(MARK, "") == sent(office, trusting).body
    assert LINK in sent(office, trusting).body


async def test_a_text_says_what_it_was_given(office: Any) -> None:
    values = {"name": "# Joe", "code": "https://www.hackney.gov.uk"}
    made = await office.accepted(office.text(personalisationParams=values))
    await office.ended(made["id"])

    assert made["warnings"] == []
    assert sent(office, made).body == "Hello # Joe, your code is https://www.hackney.gov.uk"


async def test_a_service_may_always_trust_some(office: Any, calm: None) -> None:
    async with office.app.database.transaction() as conn:
        await set_trusted_params(conn, service_id=office.service_id, names=["ref", "unknown"])
    office.app.directory._known.clear()
    try:
        made = await office.accepted(office.email(personalisationParams={"name": "# Joe", "ref": LINK}))
        shown = await previewed(office, "email", {"name": "Joe", "ref": LINK})
    finally:
        async with office.app.database.transaction() as conn:
            await set_trusted_params(conn, service_id=office.service_id, names=[])
        office.app.directory._known.clear()
    await office.ended(made["id"])

    assert made["warnings"] == []
    assert LINK in sent(office, made).body
    assert f"Dear {MARK}# Joe" in sent(office, made).body
    assert LINK in shown.body["body"]


@pytest.mark.parametrize(
    ("values", "trusted", "message"),
    [
        ({"name": "x", "ref": "y"}, ["link"], "There is no value named link."),
        (
            {"name": "x", "ref": ["y"]},
            ["name", "ref"],
            "ref is no text: lists and files cannot be trusted.",
        ),
        ({"name": "x", "ref": "y"}, "ref", "Use a list or null here."),
        ({"name": "x", "ref": "y"}, [1], "Use a list or null here."),
    ],
)
async def test_what_cannot_be_trusted_is_said(values: Any, trusted: Any, message: str, office: Any) -> None:
    refused = await office.refused(office.email(personalisationParams=values, trustedParams=trusted))

    assert refused.fields == {"trustedParams": message}


async def test_the_version_is_kept(office: Any) -> None:
    first = await office.accepted(office.email())
    assert [each["templateVersion"] for each in first["deliveries"]] == [1]

    async with edited(office, "text", "Hello ((name)) ((code))"):
        known = (await office.get(f"/templates/demo/{office.templates['text']}")).body["version"]
        made = await office.accepted(office.text())
        assert made["deliveries"][0]["templateVersion"] == known
        # The catalogue does not know of this one yet; what Notify says that it used is what holds.
        office.sandbox.edit_template(office.templates["text"], body="Good day ((name)) ((code))")
        once = {"Idempotency-Key": "the-version"}
        later = await office.accepted(office.text(), headers=once)
        assert later["deliveries"][0]["templateVersion"] == known
        ended = await office.ended(later["id"])
        assert ended["deliveries"][0]["templateVersion"] == known + 1
        assert await office.accepted(office.text(), headers=once) == later


async def test_what_is_only_validated_is_judged_and_not_kept(office: Any) -> None:
    before = await office.counts()
    request = office.email(personalisationParams={"name": "Joe", "ref": LINK, "extra": 1})

    answer = await office.call("POST", "/notifications?validateOnly=TRUE", body=request)

    assert (answer.status, answer.body) == (
        200,
        {
            "valid": True,
            "warnings": [
                "extra is not used by the template",
                "ref holds a web address that will not be a link unless trustedParams names it",
            ],
            "templateUnchecked": False,
        },
    )
    assert answer.headers["RateLimit-Limit"]
    assert await office.counts() == before


@pytest.mark.parametrize("flag", ["true", "false"])
async def test_a_request_at_fault_is_told_the_same_either_way(flag: str, office: Any) -> None:
    request = office.email(email="x", personalisationParams={"trusted": 1}, reference="")

    refused = await office.refused(request)
    validated = await office.call("POST", f"/notifications?validateOnly={flag}", body=request)

    assert (validated.status, validated.fields) == (400, refused.fields)


async def test_validating_uses_no_key(office: Any) -> None:
    headers = {"Idempotency-Key": "validated-first"}
    for _ in range(2):
        checked = await office.call(
            "POST", "/notifications?validateOnly=true", body=office.email(reference="a"), headers=headers
        )
        assert checked.status == 200
    made = await office.post(office.email(reference="b"), headers=headers)

    assert (made.status, made.headers.get("Idempotent-Replay")) == (201, None)


async def test_a_flag_that_is_none_is_refused(office: Any) -> None:
    for path in ("/notifications", "/notifications/bulk"):
        body = [office.screen()] if path.endswith("bulk") else office.screen()
        problem = await office.problem(400, "POST", f"{path}?validateOnly=perhaps", body=body)
        assert [error["field"] for error in problem["errors"]] == ["validateOnly"]


async def test_many_are_validated_each_by_itself(office: Any) -> None:
    before = await office.counts()
    bodies = [office.email(), office.email(email="no address"), "no object", office.screen()]

    answer = await office.call("POST", "/notifications/bulk?validateOnly=true", body=bodies)

    valid = {"valid": True, "warnings": [], "templateUnchecked": False}
    assert answer.status == 207
    assert [(each["index"], each["status"], each.get("validation")) for each in answer.body] == [
        (0, 200, valid),
        (1, 400, None),
        (2, 400, None),
        (3, 200, valid),
    ]
    assert await office.counts() == before
