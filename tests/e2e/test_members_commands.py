"""Whoever runs Postroom says who is in groups and patches."""

import json
from typing import Any


def test_members_are_added_shown_and_removed(starter: Any, sqlite_url: str, secrets: dict[str, str]) -> None:
    environment = secrets | {"DATABASE_URL": sqlite_url}

    def run(*arguments: str) -> Any:
        return starter.run(*arguments, **environment)

    added = run("patches", "add", "North-1", "amala@hackney.gov.uk", "Joe@hackney.gov.uk")
    assert (added.returncode, added.stdout) == (0, "2 registered in patch:north-1.\n")
    removed = run("patches", "remove", "north-1", "joe@hackney.gov.uk")
    assert (removed.returncode, removed.stdout) == (0, "1 removed from patch:north-1.\n")
    assert json.loads(run("patches", "list", "--json").stdout) == [{"name": "north-1", "members": 1}]
    [member] = json.loads(run("patches", "members", "north-1", "--json").stdout)
    assert (member["email"], member["toldAt"]) == ("amala@hackney.gov.uk", None)
    assert "amala@hackney.gov.uk" in run("patches", "members", "north-1").stdout
    assert json.loads(run("groups", "list", "--json").stdout) == []
    again = run("patches", "add", "north-1", "joe@hackney.gov.uk", "--json")
    gone = run("patches", "remove", "north-1", "joe@hackney.gov.uk", "--json")
    assert (json.loads(again.stdout), json.loads(gone.stdout)) == ({"registered": 1}, {"removed": 1})
    wrong = run("groups", "add", "estates", "nobody")
    assert (wrong.returncode, wrong.stderr) == (
        2,
        "postroom: members[0]: Enter an officer's email address.\n",
    )
