"""A second service, set up by commands alone: it sends, hears back, and never sees what another has."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from standardwebhooks.webhooks import Webhook

from tests.e2e.conftest import until


@contextmanager
def receiving() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """An endpoint, and what it was called with."""
    calls: list[tuple[dict[str, str], bytes]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            calls.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", calls
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Office:
    """The commands, over the demo's database and its API."""

    def __init__(self, starter: Any, demo: Any) -> None:
        kept = json.loads((demo.data / "demo.json").read_text())
        self.starter, self.demo = starter, demo
        self.administers = {
            "DATABASE_URL": demo.said["databaseUrl"],
            "POSTROOM_SECRET": kept["secret"],
            "OFFICER_TOKEN_SECRET": kept["officer_token_secret"],
            "POSTROOM_PRIVATE_WEBHOOKS": "on",
        }

    def administer(self, *arguments: str, **more: str) -> Any:
        done = self.starter.run(*arguments, "--json", **self.administers, **more)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def ask(self, key: str, *arguments: str) -> Any:
        return self.starter.run(*arguments, POSTROOM_URL=self.demo.said["url"], POSTROOM_KEY=key)

    def answer(self, key: str, *arguments: str) -> Any:
        done = self.ask(key, *arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def get(self, key: str, path: str) -> Any:
        return requests.get(self.demo.said["url"] + path, headers={"x-api-key": key}, timeout=10)


@pytest.fixture
def office(starter: Any) -> Office:
    return Office(starter, starter.demo())


def test_a_second_service_is_set_up_by_commands_alone_and_is_apart(office: Office, tmp_path: Path) -> None:
    said = office.demo.said
    with receiving() as (url, calls):
        made = office.administer(
            *("services", "add", "repairs", "--notify-url", said["sandbox"]["url"], "--webhook-url", url),
            *(
                "--owner",
                "repairs.team@hackney.gov.uk",
                "--template",
                f"welcome={said['templates']['email']}",
            ),
            NOTIFY_KEY=said["sandbox"]["apiKey"],
        )
        key = made["apiKey"]
        shown = office.starter.run("services", "show", "repairs", **office.administers)
        assert (shown.returncode, "repairs.team@hackney.gov.uk" in shown.stdout) == (0, True)
        assert [secret for secret in (key, said["sandbox"]["apiKey"][-36:]) if secret in shown.stdout] == []
        reading = office.administer(
            *("services", "key", "add", "repairs", "--scope", "notifications:read", "--expires-in", "90d")
        )["apiKey"]
        email = ("send", "--template", "welcome", "--email", "kim@example.com", "--value", "name=Kim")
        mine = office.answer(key, *email, "--value", "ref=R1", "--reference", "kim-1")
        theirs = office.demo.accepted(office.demo.email(reference="demo-1"))
        check_refusals(office, key, reading, email)
        check_apart(office, key, mine=mine["id"], theirs=theirs["id"])

        def heard() -> list[str]:
            return [json.loads(body)["type"] for _, body in calls]

        until(lambda: "delivered" in heard(), seconds=20)
        secret = Webhook(made["webhookSecret"])
        events = [secret.verify(body, headers) for headers, body in calls]
    assert {event["data"]["notificationId"] for event in events} == {mine["id"]}
    assert heard() == ["created", "sent", "delivered"]
    told = office.ask(reading, "status", "kim-1")
    assert (told.returncode, "Email delivered" in told.stdout, "Delivered." in told.stdout) == (0, True, True)
    followed = office.ask(reading, "tail", "--since", "0", "--most", "3", "--json").stdout.splitlines()
    assert [json.loads(line)["type"] for line in followed] == ["created", "sent", "delivered"]
    completed = office.starter.run(
        **office.administers,
        _POSTROOM_COMPLETE="complete_bash",
        COMP_WORDS="postroom services show re",
        COMP_CWORD="3",
    )
    assert completed.stdout.split() == ["repairs"]


def check_refusals(office: Office, key: str, reading: str, email: tuple[str, ...]) -> None:
    """What is said where it cannot be done, with the exit code, and never a key."""
    office_down = office.starter.run("status", "x", POSTROOM_URL="http://127.0.0.1:1", POSTROOM_KEY=key)
    no_key = office.starter.run("status", "x", POSTROOM_URL=office.demo.said["url"])
    for done, code, says in (
        (office.ask(key, *email), 1, "personalisationParams.ref: "),
        (office.ask(reading, *email, "--value", "ref=1"), 2, "notifications:write"),
        (office.ask("postroom_nonsense", *email), 2, "the API key is not known there"),
        (office_down, 2, "nothing answers at http://127.0.0.1:1"),
        (no_key, 2, "set POSTROOM_KEY"),
    ):
        assert (done.returncode, done.stdout) == (code, "")
        assert says in done.stderr
        assert key not in done.stderr


def check_apart(office: Office, key: str, *, mine: str, theirs: str) -> None:
    """Each finds its own, and of the other's what is found of an id that nobody has."""
    demo_key = office.demo.said["apiKey"]
    nobody = "01a20ad8-4a56-73f5-9ece-71a17e565c2f"
    for its_key, own, others in ((key, mine, theirs), (demo_key, theirs, mine)):
        assert office.get(its_key, f"/notifications/{own}").status_code == 200
        assert [each["id"] for each in office.get(its_key, "/notifications").json()] == [own]
        assert office.get(its_key, f"/notifications?messageId={_delivery(office, its_key, own)}").json() != []
        answers = [
            office.get(its_key, f"/notifications/{each}{more}")
            for each in (others, nobody)
            for more in ("", "/timeline")
        ]
        assert {answer.status_code for answer in answers} == {404}
        told = [{**answer.json(), "correlationId": None} for answer in answers]
        assert told == [told[0]] * 4
        done = office.ask(its_key, "status", others)
        assert (done.returncode, done.stdout) == (2, "")
    deliveries = _delivery(office, key, mine), _delivery(office, demo_key, theirs)
    assert office.get(key, f"/notifications?messageId={deliveries[1]}").json() == []
    assert office.get(demo_key, f"/notifications?messageId={deliveries[0]}").json() == []


def _delivery(office: Office, key: str, notification_id: str) -> str:
    [delivery] = office.get(key, f"/notifications/{notification_id}").json()["deliveries"]
    return str(delivery["id"])


def test_a_file_is_checked_sent_killed_and_goes_on_without_sending_anything_twice(
    office: Office, tmp_path: Path
) -> None:
    key, sheet = office.demo.said["apiKey"], tmp_path / "people.csv"
    rows = [f"joe{number}@example.com,Joe,R{number}" for number in range(1200)]
    rows[700] = "nobody,Joe,R"
    sheet.write_text("\n".join(["Email Address,Name,Ref", *rows, ""]))
    command = ("send", "--csv", str(sheet), "--template", "email")
    checked = office.ask(key, *command, "--check", "--json")
    assert checked.returncode == 1
    assert [(each["line"], each["column"]) for each in json.loads(checked.stdout)["problems"]] == [
        (702, "Email Address")
    ]
    assert count(office, key) == 0

    record = tmp_path / "people.csv.postroom"
    environment = {"POSTROOM_URL": office.demo.said["url"], "POSTROOM_KEY": key}
    sending = office.starter.start(*command, **environment)
    office.starter.wait_for(sending, lambda: record.exists() and '"ended"' in record.read_text())
    sending.kill()
    assert 0 < count(office, key) < 1199
    done = office.ask(key, *command)
    assert (done.returncode, "line" in done.stdout, "702" in done.stdout) == (1, True, True)
    assert count(office, key) == 1199
    again = office.ask(key, *command, "--json")
    told = json.loads(again.stdout)
    assert (told["accepted"], told["acceptedBefore"], told["refused"]) == (0, 1199, 1)
    results = (tmp_path / "people.results.csv").read_text().splitlines()
    assert len(results) == 1201
    assert results[701] == "702,refused,,Email Address,Not a valid email address."
    assert count(office, key) == 1199
    assert key not in record.read_text() + sheet.with_suffix(".results.csv").read_text()


def count(office: Office, key: str) -> int:
    return int(office.get(key, "/notifications/count").json()["count"])
