"""Whatever stands in an address or a form, on each kind of database: nobody is shown that we failed."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.interfaces.api.conftest import office
from tests.web.conftest import ADA

__all__ = ["office"]
pytestmark = pytest.mark.asyncio(loop_scope="module")

ODD = {
    "a zero": "\0",
    "a zero within": "a\0b",
    "half a character": "\udcff",
    "long": "x" * 5_000,
    "lines": "a\r\nSet-Cookie: a=b",
    "markup": "<script>'\"",
    "right to left": "\u202e\u0645\u0631",
    "a path": "../../../etc/passwd",
}
SEEN = (
    "/inbox?type={}",
    "/inbox?show={}",
    "/inbox?before={}",
    "/inbox?done={}",
    "/inbox/{}",
    "/inbox/{}/follow",
    "/register?before={}",
    "/sign-in?next={}",
    "/developer/notifications/{}",
    "/developer/services/{}",
    "/developer/services/{}/keys",
    "/developer/services/{}/webhook",
    "/developer/services/{}/templates",
    "/developer/services/demo/webhook?outcome={}&before={}",
    "/developer/services/demo/templates/{}",
    "/pages/{}/pages.css",
)
FORMS = {
    "/inbox/mark": ("show", "type", "newest"),
    "/inbox/{one}/act": ("do", "note", "etag", "show", "type", "before"),
    "/inbox/{one}/remove": ("show", "type", "before"),
    "/developer/search": ("by", "text", "service", "before"),
    "/developer/services/demo/keys": ("name", "lasts"),
    "/developer/services/demo/keys/rotate": ("key",),
    "/developer/services/demo/keys/revoke": ("key",),
    "/developer/services/demo/webhook/resend": ("event",),
    "/sign-in": ("officer", "officer-token", "next", "how"),
}
RIGHT = {"do": "approve", "note": "Fine", "newest": "2026-11-29T10:04:00Z", "text": "T-1", "name": "nightly"}


def in_an_address(text: str) -> str:
    return quote(text, safe="", errors="surrogateescape")


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
async def test_no_address_and_no_form_makes_us_fail(office: Any, ada: Any, odd: str) -> None:
    one = await office.accepted(office.screen(user=ADA))
    failed = {}
    for path in SEEN:
        shown = await ada.see(path.replace("{}", in_an_address(odd)), follow=False)
        failed[path] = shown.status
    page = await ada.see("/inbox")
    for path, names in FORMS.items():
        for name in names:
            fields = RIGHT | {"token": page.form_token, name: odd}
            body = "&".join(f"{key}={in_an_address(text)}" for key, text in fields.items())
            headers = {"Origin": office.url, "Content-Type": "application/x-www-form-urlencoded"}
            url = path.replace("{one}", one["id"])
            async with ada.session.post(
                office.url + url, data=body, headers=headers, allow_redirects=False
            ) as got:
                failed[f"{path} {name}"] = got.status

    assert {place: status for place, status in failed.items() if status >= 500} == {}
