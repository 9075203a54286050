"""A day of Postroom in real processes: what people send, and what they send wrongly, all of it personal."""

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import requests
from joserfc import jwt
from joserfc.jwk import OctKey

from postroom.interfaces.api.openapi import document
from tests.cognito import Pool, new_key
from tests.e2e.conftest import QUICK, SECRETS, Starter, free_port, until
from tests.e2e.outside import Answer, Asked, Outside, handing_on_to, outside

SERVICE_SECRET = "the-secret-of-the-makers-of-service-tokens"
NO_ID = "00000000-0000-4000-8000-000000000000"
NAME, UNICODE_NAME = "Zebedee Quillfeather-O'Kane", "Zoë Ångström-Ñandú"
EMAIL, OFFICER = "zebedee.quill@marmalade.example", "sabrina.winterbottom@hackney.gov.uk"
MEMBER, STRANGER = "ottoline.member@hackney.gov.uk", "lysander.stray@elsewhere.example"
MOBILE, OTHER_MOBILE = "07700 900765", "07911 765432"
STREET, TOWN, CODE = "17 Marmalade Passage", "Upper Tumbleweed", "48392671"
MESSAGE, NOTE = "The boiler of the Quillfeathers leaks again", "Spoke with her <b>on Tuesday</b> & agreed"
LINK = "https://surveys.example.gov.uk/s/personal-token-8c1d77"
LETTER = b"Dear Mr Quillfeather, this is about your tenancy"
HOOK_PATH = "/hook/path-with-a-secret-5f81"
PUSH_PATH = "/hook/browser-with-a-secret-3c90"
BROWSER_KEY = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
BROWSER_SECRET = "BTBZMqHH6r4Tts7J_aSIgg"
SAID_BY_A_RECEIVER = "whoever answers may say anything, Quillfeather too"
TARGET, REFERENCE, CORRELATION_ID = "target-4711-zq", "reference-4711-zq", "correlation-4711-zq"
ADDRESS = {"addressLine1": NAME, "addressLine2": STREET, "addressLine3": TOWN, "addressLine4": "E8 1DY"}


@dataclass(slots=True)
class Day:
    """The processes, what lies outside of them, and the keys and tokens that came up."""

    starter: Starter
    environment: dict[str, str]
    url: str
    sandbox_url: str
    templates: dict[str, str]
    notify: Outside
    hooks: Outside
    keys: dict[str, str] = field(default_factory=dict)
    said_to_users: list[str] = field(default_factory=list)
    session: requests.Session = field(default_factory=requests.Session)

    def call(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> requests.Response:
        """As the service `demo`, unless the headers say who else."""
        sent = dict(headers or {})
        if not {"x-api-key", "Authorization"} & set(sent):
            sent["x-api-key"] = self.keys["API key"]
        raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        if raw is not None:
            sent["Content-Type"] = "application/json"
        return self.session.request(method, self.url + path, data=raw, headers=sent, timeout=15)

    def accepted(self, body: dict[str, Any], headers: dict[str, str] | None = None) -> str:
        answer = self.call("POST", "/notifications", body, headers)
        assert answer.status_code == 201, answer.text
        made: str = answer.json()["id"]
        return made

    def run(self, *arguments: object, status: int = 0, reveals: bool = False, **environment: str) -> Any:
        """What a command says. It is kept, unless the command is to show its user a key or a person."""
        done = self.starter.run(*arguments, **(self.environment | environment))
        assert done.returncode == status, done.stderr
        self.said_to_users += [done.stderr] if reveals else [done.stdout, done.stderr]
        return json.loads(done.stdout) if done.stdout[:1] in ("{", "[") else done.stdout

    def ended(self, notification_id: str) -> list[Any]:
        """Its deliveries, once each has come to an end."""
        found: list[Any] = []

        def all_ended() -> bool:
            found[:] = self.call("GET", f"/notifications/{notification_id}").json()["deliveries"]
            return all(each["completedAt"] is not None or each["status"] == "dead" for each in found)

        until(all_ended, seconds=20)
        return found

    def email(self, **others: Any) -> dict[str, Any]:
        return {
            "notificationType": "Email",
            "serviceKey": "demo",
            "templateId": self.templates["email"],
            "email": EMAIL,
            "personalisationParams": {"name": NAME, "ref": LINK},
        } | others

    def over_all_channels(self, **others: Any) -> dict[str, Any]:
        """Personal data in every field that may hold some."""
        return {
            "notificationType": "Screen,Email,Text,Letter",
            "serviceKey": "demo",
            "templateIds": {name.title(): self.templates[name] for name in ("email", "text", "letter")},
            "targetId": TARGET,
            "targetType": "Tenure",
            "user": OFFICER,
            "message": MESSAGE,
            "email": EMAIL,
            "mobileNumber": MOBILE,
            "requireAction": True,
            "reference": REFERENCE,
            "personalisationParams": {"name": UNICODE_NAME, "ref": LINK, "code": CODE} | ADDRESS,
        } | others


@contextlib.contextmanager
def running_day(starter: Starter, database_url: str, described: Any) -> Iterator[Day]:
    """A sandbox, Postroom over that database, and a server for all that it calls."""
    sandbox = starter.start("sandbox", "--port", 0, "--ready", described)
    starter.wait_for(sandbox, described.exists)
    said = json.loads(described.read_text())
    service = said["services"]["demo"]
    pool = Pool(url="", keys={"first": new_key()})
    with outside(handing_on_to(said["url"])) as notify, outside(_called_back(pool)) as hooks:
        pool.url = f"{hooks.url}/pool"
        environment = QUICK | SECRETS | pool.settings | _settings(database_url, notify.url)
        day = Day(starter, environment, "", said["url"], service["templates"], notify, hooks)
        day.keys = SECRETS | {
            "SERVICE_TOKEN_SECRET": SERVICE_SECRET,
            "Notify key": service["apiKeys"]["live"],
            "raw Notify key": service["apiKeys"]["test"],
            "token of Cognito": pool.token(email=OFFICER),
            "service token": jwt.encode(
                {"alg": "HS256"},
                {"id": 42, "consumerName": "Housing Finance", "consumerType": "1"},
                OctKey.import_key(SERVICE_SECRET),
            ),
        }
        _register(day, receipts=f"/sandbox/services/{service['serviceId']}/callback")
        yield day


def _settings(database_url: str, notify_url: str) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "SERVICE_TOKEN_SECRET": SERVICE_SECRET,
        "RAW_NOTIFY_KEYS": "on",
        "NOTIFY_BASE_URL": notify_url,
        "POSTROOM_PRIVATE_WEBHOOKS": "on",
        "POSTROOM_LOG_LEVEL": "DEBUG",
        # What is failed on purpose here must not stop the rest.
        "POSTROOM_CIRCUIT_OPENS_AFTER": "50",
        "POSTROOM_POLL_LETTER_SECONDS": "0.5",
    }


def _register(day: Day, *, receipts: str) -> None:
    """Services, keys and a running server; Notify learns where receipts go."""
    notify_key = {"NOTIFY_KEY": day.keys["Notify key"]}
    add = ("services", "add", "demo", "--notify-url", day.notify.url, "--json")
    made = day.run(*add, reveals=True, **notify_key)
    other = day.run("services", "add", "other", "--json", reveals=True)
    day.keys |= {"API key": made["apiKey"], "receipt token": made["receiptToken"]}
    day.keys |= {"other's API key": other["apiKey"], "other's receipt token": other["receiptToken"]}
    port = free_port()
    day.url = f"http://127.0.0.1:{port}"
    running = day.starter.start("serve", "--port", port, **day.environment)
    day.starter.wait_for(running, lambda: _is_ready(day.url))
    callback = {"url": f"{day.url}/receipts/govuk-notify", "bearerToken": made["receiptToken"]}
    requests.put(day.sandbox_url + receipts, json=callback, timeout=5).raise_for_status()


def _is_ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/health/ready", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


def _called_back(pool: Pool) -> Callable[[Asked], Answer]:
    """Webhooks, of which every third fails and says too much; and the pool's keys."""
    times = 0

    def answer(asked: Asked) -> Answer:
        nonlocal times
        if asked.path.startswith("/pool"):
            return 200, {"Content-Type": "application/json"}, json.dumps(pool.key_set).encode()
        times += 1
        said = {"X-Said": SAID_BY_A_RECEIVER, "Location": f"http://127.0.0.1:9/{quote(EMAIL)}"}
        return (302 if times % 3 == 0 else 200), said, SAID_BY_A_RECEIVER.encode()

    return answer


def wrong_requests(day: Day) -> int:
    """Every endpoint is sent personal data and keys wherever a request has a place for them; how many.

    In paths, queries, headers and bodies, by who may call and by who may not.
    """
    sent = 0
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            for value in (EMAIL, MOBILE, day.keys["raw Notify key"]):
                where = path
                for parameter in operation["parameters"]:
                    if parameter["in"] == "path":
                        where = where.replace(f"{{{parameter['name']}}}", quote(value, safe=""))
                for query, headers, body in _ways(day, operation, value):
                    answer = day.call(method.upper(), where + query, body, headers)
                    assert answer.status_code < 500, (method, where, answer.text)
                    sent += 1
    for path in (f"/{quote(EMAIL)}", f"/notification/{quote(MOBILE)}", f"/x/{day.keys['raw Notify key']}"):
        assert day.call("GET", path).status_code == 404
    return sent


def _ways(day: Day, operation: dict[str, Any], value: str) -> Iterator[tuple[str, dict[str, str], Any]]:
    told = {
        "User-Agent": value,
        "Referer": f"https://front-end.example/{quote(value)}",
        "Cookie": f"name={quote(value)}",
        "X-Forwarded-For": value,
        "Origin": f"https://{value.replace(' ', '')}",
        "x-correlation-id": f"{value} {NAME}".encode("ascii", "ignore").decode(),
        "If-Match": f'"{value}"',
        "If-None-Match": f'"{value}"',
        "Last-Event-ID": value,
        "Idempotency-Key": f"{value} {sum(map(ord, operation['operationId']))}",
    }
    known = [each["name"] for each in operation["parameters"] if each["in"] == "query"]
    query = "?" + "&".join(f"{quote(name)}={quote(value)}" for name in [*known, value])
    yield query, told, None
    yield "", told | {"x-api-key": value}, None
    yield "", told | {"Authorization": f"Bearer {value}"}, None
    yield "", told | {"Authorization": f"Bearer {day.keys['token of Cognito']}x"}, None
    if "requestBody" in operation:
        for body in (
            {value: NAME, "email": value, "actionNote": NOTE, "notificationType": MESSAGE},
            [{"email": [value], "personalisationParams": NAME, "userErrorMessage": MESSAGE}],
            f'{{"email": "{value}", "message": "{MESSAGE}'.encode(),
            value,
        ):
            yield "", told, body
