"""The demo by its command, as a newcomer starts it: on SQLite and on PostgreSQL."""

import json
import re
import signal
import stat
import subprocess
from typing import Any

import psutil

AS_IN_LIFE = {
    "POSTROOM_CALL_TIMEOUT_SECONDS": "10",
    "POSTROOM_LEASE_SECONDS": "20",
    "POSTROOM_QUIET_SECONDS": "15",
}
SECRETS_OF_A_RUN = (
    "joe.logged@example.com",
    "07700900789",
    "7700900789",
    "a message that must not be logged",
    "Value That Must Not Be Logged",
    "a note that must not be logged",
    "amala.officer@hackney.gov.uk",
)


def test_it_is_as_a_newcomer_is_told(starter: Any, database: dict[str, str]) -> None:
    demo = starter.demo(**database)

    check_ready_file(demo, database)
    check_printed_lines(demo)
    assert psutil.Process(demo.said["pids"]["api"]).memory_info().rss < 150 * 1024 * 1024
    assert len(demo.running.family()) == 2
    assert demo.running.stop(signal.SIGTERM) < 5
    assert demo.running.process.returncode == 0, demo.running.output


def check_ready_file(demo: Any, database: dict[str, str]) -> None:
    assert stat.S_IMODE(demo.ready_file.stat().st_mode) == 0o600
    assert {name: type(value) for name, value in demo.said.items()} == {
        "url": str,
        "service": str,
        "apiKey": str,
        "officer": str,
        "officerToken": str,
        "databaseUrl": str,
        "templates": dict,
        "sandbox": dict,
        "pids": dict,
    }
    assert set(demo.said["templates"]) == {"email", "text", "letter"}
    assert set(demo.said["sandbox"]) == {"url", "apiKey"}
    assert demo.said["databaseUrl"] == database.get("DATABASE_URL", f"sqlite:///{demo.data}/postroom.db")
    assert all(psutil.pid_exists(pid) for pid in demo.said["pids"].values())
    seen = demo.session.get(
        f"{demo.said['url']}/notifications",
        headers={"Authorization": f"Bearer {demo.said['officerToken']}"},
        timeout=5,
    )
    assert (seen.status_code, seen.json()) == (200, [])


def check_printed_lines(demo: Any) -> None:
    """The two curl lines do, as they are printed, what is said beside them."""
    printed = demo.running.out.read_text()
    [first] = re.findall(r"^ *(curl .*\\\n.*)$", printed, re.MULTILINE)
    [second] = re.findall(r"^ *(curl .*/notifications -H 'x-api-key: \S+)$", printed, re.MULTILINE)

    item = json.loads(said_by(first))

    [delivery] = demo.until_ended([item["id"]], seconds=10)
    assert delivery["status"] == "delivered"
    assert demo.sandbox_sent() == [delivery["id"]]
    assert [each["id"] for each in json.loads(said_by(second))] == [item["id"]]


def said_by(line: str) -> str:
    done = subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, timeout=10, check=True)
    return done.stdout


def test_ctrl_c_stops_it(starter: Any) -> None:
    demo = starter.demo()
    demo.accepted(demo.email())

    assert demo.running.stop(signal.SIGINT) < 5
    assert demo.running.process.returncode == 0, demo.running.output


def test_calls_in_hand_delay_a_stop_by_no_more_than_its_five_seconds_allow(
    starter: Any, database: dict[str, str]
) -> None:
    """Measured beside a stop without any, for a busy machine takes its time over both."""
    at_rest = starter.demo(**(database | AS_IN_LIFE)).running.stop()
    demo = starter.demo(**(database | AS_IN_LIFE))
    demo.break_sandbox("silent", path="/v2/notifications")
    for _ in range(5):
        demo.accepted(demo.email())

    with_calls = demo.running.stop()

    assert at_rest < 5
    assert with_calls - at_rest < 4.5
    assert demo.running.process.returncode == 0, demo.running.output


def test_a_sandbox_that_is_killed_comes_back_with_what_it_recorded(starter: Any) -> None:
    demo = starter.demo()
    first = demo.accepted(demo.email())["id"]
    demo.until_ended([first], seconds=10)
    psutil.Process(demo.said["pids"]["sandbox"]).kill()

    second = demo.accepted(demo.email())["id"]

    ended = demo.until_ended([first, second], seconds=20)
    assert [each["status"] for each in ended] == ["delivered", "delivered"]
    assert demo.sandbox_sent() == sorted(each["id"] for each in ended)


def test_logs_hold_no_key_no_token_and_nothing_personal(starter: Any, database: dict[str, str]) -> None:
    demo = starter.demo(**(database | {"POSTROOM_LOG_LEVEL": "DEBUG"}))
    said = demo.said
    values = {"name": "Value That Must Not Be Logged", "ref": "X1", "code": "1"}
    item = demo.accepted(
        demo.email(
            notificationType="Email,Text",
            templateIds={"Text": said["templates"]["text"]},
            email="joe.logged@example.com",
            mobileNumber="07700900789",
            user=said["officer"],
            message="a message that must not be logged",
            personalisationParams=values,
        )
    )
    demo.accepted(demo.email(serviceKey=said["sandbox"]["apiKey"]))
    demo.until_ended([item["id"]], seconds=10)
    officer = {"Authorization": f"Bearer {said['officerToken']}"}
    own = f"/notifications/{item['id']}"
    calls = [
        ("GET", f"/message-status/{said['sandbox']['apiKey']}/{item['id']}", None, {}),
        ("GET", f"/templates/{said['sandbox']['apiKey']}", None, {}),
        ("GET", f"/{said['sandbox']['apiKey']}", None, {}),
        ("GET", f"/notifications?user={said['officer']}", None, officer),
        ("GET", "/notifications?email=joe.logged@example.com", None, {}),
        ("GET", "/notifications/joe.logged@example.com", None, {}),
        ("PATCH", own, {"actionType": "Approved", "actionNote": "a note that must not be logged"}, officer),
        ("POST", "/notifications", demo.email(email="joe.logged@example.com ", emial="07700900789"), {}),
        ("POST", "/notifications", {"message": 7, "email": "joe.logged@example.com"}, {}),
    ]
    assert [demo.call(method, path, body, **headers).status_code for method, path, body, headers in calls]
    demo.break_sandbox("rubbish")
    waiting = demo.accepted(demo.email(email="joe.logged@example.com"))
    demo.heal_sandbox()
    demo.until_ended([waiting["id"]], seconds=20)
    demo.running.stop()

    logged = demo.running.err.read_text()
    events = [json.loads(line)["event"] for line in logged.splitlines()]
    assert {"request", "attempt"} <= set(events)
    keys = (said["apiKey"], said["officerToken"], said["sandbox"]["apiKey"], said["sandbox"]["apiKey"][-36:])
    assert [secret for secret in (*SECRETS_OF_A_RUN, *keys) if secret.lower() in logged.lower()] == []
