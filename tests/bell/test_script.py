"""The script of the bell: small, whole, by its version for ever, and let into any page."""

import gzip
import hashlib
import json
import re
from base64 import b64encode
from importlib.resources import files
from typing import Any

import pytest

from postroom.interfaces.bell.script import MODULES, script

pytestmark = pytest.mark.asyncio(loop_scope="module")

LARGEST = 20 * 1024


async def test_it_is_small() -> None:
    assert len(gzip.compress(script().content)) < LARGEST


async def test_every_module_is_in_it_and_short() -> None:
    folder = files("postroom.interfaces.bell")
    found = {each.name: each.read_text() for each in folder.iterdir() if each.name.endswith(".js")}

    assert sorted(found) == sorted(f"{name}.js" for name in MODULES)
    assert {name for name, text in found.items() if len(text.splitlines()) > 400} == set()


async def test_what_a_module_uses_stands_before_it() -> None:
    folder = files("postroom.interfaces.bell")
    for at, name in enumerate(MODULES):
        used = re.findall(r'(?m)^import .* from "\./(\w+)\.js";$', (folder / f"{name}.js").read_text())
        assert set(used) <= set(MODULES[:at]), name
    assert not re.search(rb"(?m)^(import|export) ", script().content)


async def test_any_page_may_load_it_and_hold_it_to_its_hash(office: Any) -> None:
    """Though the front ends that may call are named one by one."""
    origin = {"Origin": "https://elsewhere.example"}
    told = (await office.get("/bell.json", anonymous=True, headers=origin)).body
    path = told["url"].removeprefix(office.url)
    got = await office.get(path, anonymous=True, headers=origin)

    digest = b64encode(hashlib.sha384(got.text.encode()).digest()).decode()
    assert told["integrity"] == f"sha384-{digest}"
    assert (told["integrity"] in told["snippet"], told["url"] in told["snippet"]) == (True, True)
    assert told["version"] in path
    assert got.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert got.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert got.headers.getall("Access-Control-Allow-Origin") == ["*"]
    assert got.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Set-Cookie" not in got.headers


async def test_other_addresses_still_lead_to_other_answers(office: Any) -> None:
    origin = {"Origin": "https://elsewhere.example"}
    answer = await office.get("/notifications/count", headers=origin)

    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("path", ["/bell/bell.js", "/bell/another/bell.js"])
async def test_without_its_version_it_is_asked_for_each_time(office: Any, path: str) -> None:
    got = await office.get(path, anonymous=True)
    again = await office.get(path, anonymous=True, headers={"If-None-Match": got.headers["ETag"]})

    assert (got.status, got.text.encode()) == (200, script().content)
    assert got.headers["Cache-Control"] == "no-cache"
    assert (again.status, again.text) == (304, "")


async def test_what_it_is_given_is_plain_json(office: Any) -> None:
    kinds = re.search(rb"(?m)^const KINDS = (.*);$", script().content)

    assert kinds
    assert json.loads(kinds[1])["Estimates"] == "Estimates to approve"
