"""`postroom audit`: whether the record is whole, and the record for whoever has to see it."""

import csv
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from postroom.kit.ids import new_id


@pytest.fixture
def environment(secrets: dict[str, str], sqlite_url: str, starter: Any) -> dict[str, str]:
    """A Postroom with one service."""
    chosen = secrets | {"DATABASE_URL": sqlite_url}
    assert starter.run("services", "add", "income", **chosen).returncode == 0
    return chosen


def put_entry(environment: dict[str, str]) -> str:
    """An entry as another process might leave it behind; its id."""
    entry_id = new_id()
    with sqlite3.connect(environment["DATABASE_URL"].removeprefix("sqlite:///")) as connection:
        service = connection.execute("SELECT id FROM services").fetchone()[0]
        values = (entry_id.replace("-", ""), 1_795_000_000_000_000, service, 7)
        connection.execute(
            "INSERT INTO audit_entries (id, at, kind, service_id, seal) VALUES (?, ?, 'ended', ?, ?)", values
        )
    return entry_id


def test_a_record_is_verified_with_an_exit_code(starter: Any, environment: dict[str, str]) -> None:
    whole = starter.run("audit", "verify", "--json", **environment)
    put_entry(environment)
    broken = starter.run("audit", "verify", "--json", **environment)
    told = starter.run("audit", "verify", **environment)
    wrong = starter.run("audit", "verify", "--head", "x", **environment)

    assert (whole.returncode, json.loads(whole.stdout)["findings"]) == (0, [])
    assert broken.returncode == told.returncode == 1
    assert [each["fault"] for each in json.loads(broken.stdout)["findings"]] == ["seal removed"]
    assert "SEAL REMOVED  seal 7: This seal is not there any more." in told.stdout
    assert (wrong.returncode, wrong.stderr) == (
        2,
        "postroom: head: Use a head as this command prints it, number:hash.\n",
    )


def test_a_record_is_exported(starter: Any, environment: dict[str, str], tmp_path: Path) -> None:
    entry_id, out = put_entry(environment), tmp_path / "audit.csv"

    printed = starter.run("audit", "export", "--service", "income", "--json", **environment)
    written = starter.run("audit", "export", "--out", out, **environment)

    lines = [json.loads(line) for line in printed.stdout.splitlines()]
    assert [each["id"] for each in lines if each["kind"] == "ended"] == [entry_id]
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert (written.stdout, out.stat().st_mode & 0o777) == ("", 0o600)
    assert {row["id"] for row in rows} == {each["id"] for each in lines}
    assert {row["service"] for row in rows} == {"income"}


def test_what_is_done_by_command_is_recorded_with_who_gave_it(
    starter: Any, environment: dict[str, str]
) -> None:
    commands = [
        ["services", "key", "add", "income"],
        ["services", "limits", "income", "--calls-a-minute", "9"],
        ["services", "trust", "income", "link"],
        ["services", "links", "income", "a.uk"],
    ]
    assert [starter.run(*each, **environment).returncode for each in commands] == [0] * 4

    printed = starter.run("audit", "export", "--json", **environment)

    entries = [json.loads(line) for line in reversed(printed.stdout.splitlines())]
    assert [(each["kind"], (each["detail"] or "").partition(" ")[0]) for each in entries] == [
        ("service added", ""),
        ("service changed", "receipt_token"),
        ("key issued", "key"),
        ("key issued", "key"),
        ("service changed", "limits"),
        ("service changed", "trusted_params"),
        ("service changed", "link_hosts"),
    ]
    assert {each["actor"].partition(":")[0] for each in entries} == {"command line"}
