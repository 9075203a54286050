"""The other commands: what they do, and what they say where they cannot."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
import requests


@pytest.mark.parametrize(
    ("arguments", "environment", "says"),
    [
        (["api"], {}, ["postroom api", "needs PostgreSQL", "DATABASE_URL", "postroom serve"]),
        (["worker"], {}, ["postroom worker", "needs PostgreSQL", "DATABASE_URL"]),
        (["serve"], {"POSTROOM_SECRET": ""}, ["POSTROOM_SECRET must be set"]),
        (
            ["serve"],
            {"POSTROOM_SECRET": "", "OFFICER_TOKEN_SECRET": "short"},
            ["POSTROOM_SECRET must be set", "OFFICER_TOKEN_SECRET must be set"],
        ),
        (["serve"], {"DATABASE_URL": "mysql://x"}, ["DATABASE_URL must begin with"]),
        (["serve"], {"POSTROOM_PORT": "many"}, ["POSTROOM_PORT must be a whole number"]),
        (["serve"], {"POSTROOM_AT_ONCE": "0"}, ["POSTROOM_AT_ONCE must be at least 1"]),
        (["migrate"], {"DATABASE_URL": "postgresql://127.0.0.1:1/none"}, ["the database does not answer"]),
        (["services", "key", "add", "nobody"], {}, ["no service named nobody", "postroom services list"]),
        (["services", "add", "Not A Name"], {}, ["name: Use up to 64 lower-case letters"]),
        (["services", "add", "demo", "--notify-key", "x"], {}, ["notifyKey: "]),
        (["services", "add", "demo", "--notify-key-type", "x"], {}, ["notifyKeyType: ", "live, team, test"]),
        (["services", "key", "revoke", "nobody", "x"], {}, ["no service named nobody"]),
        (["services", "grant", "nobody", "demo"], {}, ["no service named nobody"]),
        (["serve"], {"COGNITO_ISSUER": "http://x"}, ["COGNITO_ISSUER must begin with", "COGNITO_CLIENT_IDS"]),
        (["services", "limits", "nobody"], {}, ["no service named nobody", "postroom services list"]),
        (["services", "trust", "nobody", "link"], {}, ["no service named nobody", "postroom services list"]),
        (["serve"], {"POSTROOM_CALLS_A_MINUTE": "0"}, ["POSTROOM_CALLS_A_MINUTE: Use 1 to"]),
        (["serve"], {"POSTROOM_CIRCUIT_OPENS_AFTER": "0"}, ["CIRCUIT_OPENS_AFTER must be at least 1"]),
        (
            ["serve"],
            {"POSTROOM_CIRCUIT_FIRST_WAIT_SECONDS": "60"},
            ["FIRST_WAIT_SECONDS must be more than 0, and no more than POSTROOM_CIRCUIT_LONGEST_WAIT"],
        ),
        (["serve"], {"POSTROOM_SAME_TEMPLATE_AN_HOUR": "5000"}, ["AN_HOUR: Use 1 to 1000, or 0 for no"]),
    ],
    ids=repr,
)
def test_what_the_user_can_mend_is_said_in_a_line_with_exit_code_2(
    arguments: list[str],
    environment: dict[str, str],
    says: list[str],
    starter: Any,
    secrets: dict[str, str],
    sqlite_url: str,
) -> None:
    done = starter.run(*arguments, **(secrets | {"DATABASE_URL": sqlite_url} | environment))

    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert line.startswith("postroom: ")
    assert [words for words in says if words not in line] == []


def test_services_are_added_listed_and_given_keys_that_serve_takes(
    starter: Any, sqlite_url: str, secrets: dict[str, str]
) -> None:
    environment = secrets | {"DATABASE_URL": sqlite_url}
    first = starter.run("migrate", **environment)
    second = starter.run("migrate", **environment)
    assert (first.stdout, second.stdout) == (
        "The tables were brought up to date.\n",
        "The tables are up to date.\n",
    )

    added = json.loads(starter.run("services", "add", "income", "--json", **environment).stdout)
    keyed = json.loads(starter.run("services", "key", "add", "income", "--json", **environment).stdout)
    listed = json.loads(starter.run("services", "list", "--json", **environment).stdout)

    assert set(added) == {"service", "apiKey", "receiptToken"}
    [one] = listed
    assert one == {
        "name": "income",
        "owner": None,
        "environment": "production",
        "isActive": True,
        "sends": False,
        "defaultGroup": None,
        "limits": {},
        "reads": [],
        "trustedParams": [],
        "allowedLinkHosts": [],
    }
    assert keyed["apiKey"] != added["apiKey"]
    twice = starter.run("services", "add", "income", **environment)
    assert (twice.returncode, twice.stderr) == (
        2,
        "postroom: A service named income is registered already.\n",
    )
    check_serve(starter, environment, [added["apiKey"], keyed["apiKey"]])


def test_limits_are_chosen_for_one_service_and_shown(
    starter: Any, sqlite_url: str, secrets: dict[str, str]
) -> None:
    environment = secrets | {"DATABASE_URL": sqlite_url}
    starter.run("services", "add", "income", **environment)

    def limits(*options: str) -> Any:
        done = starter.run("services", "limits", "income", *options, "--json", **environment)
        return json.loads(done.stdout)["limits"]

    assert limits("--calls-a-minute", "600", "--same-template-an-hour", "0") == {
        "callsAMinute": 600,
        "sameTemplateAnHour": 0,
    }
    chosen = limits("--notify-a-minute", "60", "--calls-a-minute", "700")
    assert chosen == {"callsAMinute": 700, "sameTemplateAnHour": 0, "notifyAMinute": 60}
    [listed] = json.loads(starter.run("services", "list", "--json", **environment).stdout)
    assert listed["limits"] == chosen
    refused = starter.run(
        "services", "limits", "income", "--notify-a-minute", "0", "--texts-an-hour", "-1", **environment
    )
    assert refused.returncode == 2
    assert refused.stderr.count("Use 1 to") == 2
    assert limits() == chosen
    assert limits("--reset", "--texts-an-hour", "5") == {"textsAnHour": 5}


def test_keys_are_rotated_listed_and_revoked_and_never_shown_again(
    starter: Any, sqlite_url: str, secrets: dict[str, str]
) -> None:
    environment = secrets | {"DATABASE_URL": sqlite_url}
    first = json.loads(starter.run("services", "add", "income", "--json", **environment).stdout)["apiKey"]

    def key(*arguments: str) -> Any:
        return json.loads(starter.run("services", "key", *arguments, "--json", **environment).stdout)

    added = key("add", "income", "--scope", "notifications:read", "--expires-in", "90d", "--label", "nightly")
    rotated = key("rotate", "income", added["id"], "--overlap", "7d")
    revoked = key("revoke", "income", added["id"])
    admitted = key("admit", "income", "--consumer", "Housing Finance", "--token-id", "42")
    listed = key("list", "income")
    plain = starter.run("services", "key", "list", "income", **environment).stdout

    assert [each["name"] for each in listed] == ["first", "nightly", "nightly", "token 42 of Housing Finance"]
    assert [each["state"] for each in listed] == ["valid", "revoked", "valid", "valid"]
    assert [each["scopes"] for each in listed[1:3]] == [["notifications:read"]] * 2
    assert (listed[1], listed[3]) == (revoked, admitted)
    assert set(rotated) == {"service", "id", "apiKey", "expiresAt"}
    assert rotated["expiresAt"] == listed[2]["expiresAt"] != added["expiresAt"] is not None
    for secret in (first, added["apiKey"], rotated["apiKey"]):
        assert secret.removeprefix("postroom_") not in plain + json.dumps(listed)


def test_reading_is_granted_and_taken_back(starter: Any, sqlite_url: str, secrets: dict[str, str]) -> None:
    environment = secrets | {"DATABASE_URL": sqlite_url}
    for name in ("income", "repairs"):
        starter.run("services", "add", name, **environment)

    def reads() -> Any:
        listed = json.loads(starter.run("services", "list", "--json", **environment).stdout)
        return {each["name"]: each["reads"] for each in listed}

    done = starter.run("services", "grant", "income", "repairs", **environment)
    assert done.stdout == "income may read the notifications of repairs, with personal data masked.\n"
    assert reads() == {"income": [{"service": "repairs", "withPersonalData": False}], "repairs": []}
    starter.run("services", "grant", "income", "repairs", "--with-personal-data", **environment)
    assert reads()["income"] == [{"service": "repairs", "withPersonalData": True}]
    ended = [starter.run("services", "end-grant", "income", "repairs", **environment) for _ in range(2)]
    assert [each.returncode for each in ended] == [0, 2]
    assert reads() == {"income": [], "repairs": []}


def test_what_a_service_always_trusts_is_chosen_and_shown(
    starter: Any, sqlite_url: str, secrets: dict[str, str]
) -> None:
    environment = secrets | {"DATABASE_URL": sqlite_url}
    starter.run("services", "add", "income", **environment)

    def trust(*params: str) -> Any:
        done = starter.run("services", "trust", "income", *params, "--json", **environment)
        [listed] = json.loads(starter.run("services", "list", "--json", **environment).stdout)
        assert listed["trustedParams"] == json.loads(done.stdout)["trustedParams"]
        return listed["trustedParams"]

    assert trust("survey link", "rebook", "rebook") == ["survey link", "rebook"]
    assert trust("rebook") == ["rebook"]
    refused = starter.run("services", "trust", "income", "x" * 101, **environment)
    assert (refused.returncode, "Use names of 1 to 100" in refused.stderr) == (2, True)
    assert starter.run("services", "trust", "income", **environment).returncode == 2
    assert trust("--none") == []


def test_hosts_of_links_are_chosen_and_shown(starter: Any, sqlite_url: str, secrets: dict[str, str]) -> None:
    environment = secrets | {"DATABASE_URL": sqlite_url}
    starter.run("services", "add", "income", **environment)

    done = starter.run("services", "links", "income", "forms.hackney.gov.uk", **environment)
    [listed] = json.loads(starter.run("services", "list", "--json", **environment).stdout)
    refused = starter.run("services", "links", "income", "https://x", **environment)

    assert done.stdout == "Follow-on links of income may lead to forms.hackney.gov.uk\n"
    assert listed["allowedLinkHosts"] == ["forms.hackney.gov.uk"]
    assert (refused.returncode, refused.stderr[:43]) == (2, "postroom: allowedLinkHosts: Use names of ho")


def check_serve(starter: Any, environment: dict[str, str], keys: list[str]) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    serving = starter.start("serve", "--port", port, **environment)
    url = f"http://127.0.0.1:{port}"
    starter.wait_for(serving, lambda: answers(url))
    body = {"notificationType": "Screen", "targetId": "T1", "message": "Hello"}
    made = [
        requests.post(f"{url}/notifications", json=body, headers={"x-api-key": key}, timeout=5).status_code
        for key in keys
    ]
    assert made == [201, 201]
    assert serving.stop() < 5
    assert serving.process.returncode == 0


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/health", timeout=2).status_code == 200
    except requests.ConnectionError:
        return False


def test_a_port_that_is_taken_is_said(starter: Any, secrets: dict[str, str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = starter.run("demo", "--port", port, "--data", tmp_path / "data", **secrets)

    assert done.returncode == 2
    assert f"cannot listen on 127.0.0.1, port {port}" in done.stderr
