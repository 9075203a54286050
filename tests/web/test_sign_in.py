"""Signing in and out, and what is refused: forged forms, wrong tokens, and where `next` would lead."""

from typing import Any

import pytest

from tests.web.conftest import AMALA

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_who_is_not_signed_in_is_asked_to_and_comes_back(visitors: Any) -> None:
    amala = visitors(AMALA)
    asked = await amala.see("/inbox?show=unread")
    assert (asked.status, asked.heading) == (200, "Sign in")
    assert asked.value("next") == "/inbox?show=unread"

    shown = await amala.fill(
        "/sign-in", on="/inbox?show=unread", officer__token=amala.token, next="/inbox?show=unread"
    )

    assert shown.heading == "My notifications"
    assert '<option value="unread" selected>' in shown.markup
    assert AMALA in shown.text


async def test_cookies_are_kept_from_scripts_and_from_other_sites(visitors: Any) -> None:
    amala = visitors(AMALA)
    page = await amala.see("/sign-in")
    answer = await amala.send(
        "POST",
        "/sign-in",
        fields={"token": page.form_token, "officer-token": amala.token},
        headers={"Origin": amala.office.url},
        follow=False,
    )

    assert (answer.status, answer.headers["Location"]) == (303, "/inbox")
    cookies = answer.headers.getall("Set-Cookie")
    assert len(cookies) == 3
    assert all("HttpOnly" in cookie and "SameSite=lax" in cookie for cookie in cookies)


async def test_signing_out_forgets_the_token(visitors: Any) -> None:
    amala = visitors(AMALA)
    await amala.sign_in()
    shown = await amala.fill("/sign-out", on="/inbox")

    assert shown.heading == "Sign in"
    assert (await amala.see("/inbox")).heading == "Sign in"


async def test_the_councils_own_sign_in_is_enough_until_one_signs_out(visitors: Any) -> None:
    amala = visitors(AMALA)
    amala.session.cookie_jar.update_cookies({"hackneyToken": amala.token})

    assert (await amala.see("/inbox")).heading == "My notifications"
    assert (await amala.fill("/sign-out", on="/inbox")).heading == "Sign in"
    assert (await amala.see("/inbox")).heading == "Sign in"
    assert (await amala.fill("/sign-in", on="/sign-in", how="sso")).heading == "My notifications"


WRONG = {
    "nothing": "",
    "no token": "hello",
    "another's signature": "eyJhbGciOiJIUzI1NiJ9.eyJlbWFpbCI6ImFAYi5jIiwiZXhwIjo5OTk5OTk5OTk5fQ.AAAA",
    "alg none": "eyJhbGciOiJub25lIn0.eyJlbWFpbCI6ImFAYi5jIiwiZXhwIjo5OTk5OTk5OTk5fQ.",
    "too long": "a" * 5_000,
}


@pytest.mark.parametrize("token", WRONG.values(), ids=WRONG)
async def test_a_token_that_is_not_right_lets_nobody_in(visitors: Any, token: str) -> None:
    somebody = visitors()
    shown = await somebody.fill("/sign-in", on="/sign-in", officer__token=token)

    assert (shown.status, set(shown.faults)) == (400, {"officer-token"})
    assert (await somebody.see("/inbox")).heading == "Sign in"


async def test_one_that_is_over_is_told_so(office: Any, visitors: Any) -> None:
    somebody = visitors()
    claims = {"email": AMALA, "exp": 1}
    somebody.session.cookie_jar.update_cookies({"postroom-token": office.signed(claims)})

    assert "Your last sign-in has ended." in (await somebody.see("/inbox")).text


LEADING = {
    "elsewhere": "https://evil.example/",
    "elsewhere without a scheme": "//evil.example/",
    "by a backslash": "/\\evil.example",
    "by a backslash behind": "/inbox\\@evil.example",
    "by three strokes": "///evil.example",
    "by a script": "javascript:alert(1)",
    "by a word that begins as ours": "/inbox.evil.example/",
    "to the api": "/notifications",
    "by a line": "/inbox\r\nLocation: https://evil.example",
    "by an encoded one": "/%2f%2fevil.example",
}


@pytest.mark.parametrize("wanted", LEADING.values(), ids=LEADING)
async def test_next_leads_nowhere_but_to_a_page(visitors: Any, wanted: str) -> None:
    amala = visitors(AMALA)
    page = await amala.see("/sign-in")
    answer = await amala.send(
        "POST",
        "/sign-in",
        fields={"token": page.form_token, "officer-token": amala.token, "next": wanted},
        headers={"Origin": amala.office.url},
        follow=False,
    )

    assert (answer.status, answer.headers["Location"]) == (303, "/inbox")


FORGED: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "without a token": ({}, {}),
    "with an empty one": ({"token": ""}, {}),
    "with a guessed one": ({"token": "A" * 44}, {}),
    "from another origin": ({"token": "theirs"}, {"Origin": "https://evil.example"}),
    "from a sandboxed frame": ({"token": "theirs"}, {"Origin": "null"}),
    "from our host by another port": ({"token": "theirs"}, {"Origin": "http://127.0.0.1:1"}),
    "from another site, as the browser says": ({"token": "theirs"}, {"Sec-Fetch-Site": "cross-site"}),
    "from another host of the site": ({"token": "theirs"}, {"Sec-Fetch-Site": "same-site"}),
    "from nobody knows where": ({"token": "theirs"}, {"Origin": ""}),
}


@pytest.mark.parametrize("path", ["/sign-out", "/inbox/{id}/act"])
@pytest.mark.parametrize(("fields", "headers"), FORGED.values(), ids=FORGED)
async def test_a_forged_form_changes_nothing(
    office: Any, amala: Any, path: str, fields: dict[str, str], headers: dict[str, str]
) -> None:
    made = await office.accepted(office.screen(user=AMALA))
    page = await amala.see("/inbox")
    sent = {"do": "read", "officer-token": "x"} | fields
    if fields.get("token") == "theirs":
        sent["token"] = page.form_token
    given = {"Origin": office.url} | headers

    answer = await amala.send(
        "POST",
        path.format(id=made["id"]),
        fields=sent,
        headers={name: value for name, value in given.items() if value},
        follow=False,
    )

    assert (answer.status, answer.heading) == (403, "This form is out of date")
    read = await office.get(f"/notifications/{made['id']}", token=amala.token)
    assert (read.status, read.body["isReadStatus"]) == (200, False)
    assert (await amala.see("/inbox")).heading == "My notifications"


async def test_a_form_of_anothers_browser_is_refused(office: Any, amala: Any, joe: Any) -> None:
    page = await joe.see("/inbox")
    answer = await amala.send(
        "POST", "/sign-out", fields={"token": page.form_token}, headers={"Origin": office.url}, follow=False
    )

    assert answer.status == 403
    assert (await amala.see("/inbox")).heading == "My notifications"


async def test_every_page_has_a_strict_policy(amala: Any) -> None:
    shown = await amala.see("/inbox")
    policy = shown.headers["Content-Security-Policy"]

    assert "unsafe" not in policy
    assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self';")
    assert "frame-ancestors 'none'" in policy
    assert shown.headers["Cache-Control"] == "no-store"
    assert "<script>" not in shown.markup
    assert 'style="' not in shown.markup


async def test_assets_are_kept_for_good_and_their_names_change_with_them(amala: Any) -> None:
    shown = await amala.see("/inbox")
    script = shown.markup.split('<script type="module" src="')[1].split('"')[0]

    current = await amala.see(script)
    old = await amala.see("/pages/0000/pages.js")

    assert current.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert old.headers["Cache-Control"] == "no-cache"
    assert (await amala.see("/pages/0000/../session.py")).status == 404


async def test_an_address_that_is_no_page_is_said_to_be_none(amala: Any) -> None:
    for path in ("/inbox/nothing", "/inbox/00000000-0000-4000-8000-000000000000", "/developer/x/y/z"):
        shown = await amala.see(path)
        assert (shown.status, shown.heading) == (404, "There is no such page")
