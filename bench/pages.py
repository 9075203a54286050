"""How long the pages for officers and developers take, over 5,000 notifications to a group of officers.

One request after another on one connection, from before it is written until all of the page has come. The
slowest page of each kind of database is shown against the aim, and each page in the JSON.
"""

import http.client
import re
import time
from collections.abc import Iterator

from bench.figures import Figure, below, percentile
from bench.office import PERSONALISATION, SERVICE, Office, accept_many, doors, prepare
from bench.options import Bench
from bench.stub import TEMPLATES, stub
from postroom.domain.channel import Channel
from postroom.features.notifications.request import NewNotification
from postroom.interfaces.tokens import issue_officer_token

AIM_MS = 100
_KEPT = 5_000
_TIMES = 60
_FIRST = 10
_TO_ONE = re.compile(r'href="/inbox/([0-9a-f]{8}-[0-9a-f-]{27})')
_OFFICER = "amala.officer@hackney.gov.uk"
_ROLES = {
    "POSTROOM_MANAGER_GROUPS": "finance",
    "POSTROOM_DEVELOPER_GROUPS": "finance",
    "POSTROOM_PAGES": "on",
}
_PAGES = {
    "my notifications": "/inbox",
    "unread": "/inbox?show=unread",
    "needs action": "/inbox?show=action",
    "one notification": "/inbox/{id}",
    "not yet confirmed": "/register",
    "search": "/developer",
    "timeline": "/developer/notifications/{id}",
    "webhook": f"/developer/services/{SERVICE}/webhook",
    "keys": f"/developer/services/{SERVICE}/keys",
}


def measure(bench: Bench) -> Iterator[Figure]:
    with stub(bench.place) as notify:
        for kind in bench.databases:
            with bench.databases_of(kind, 1) as (url,):
                office = prepare(url, notify_url=notify.url)
                accept_many(office, _KEPT, new=_of_an_officer)
                with doors(office, "api", place=bench.place, **_ROLES) as api:
                    yield _figure(kind, _times(office, api.port))


def _of_an_officer(place: int) -> NewNotification:
    return NewNotification(
        channels=(Channel.SCREEN, Channel.EMAIL),
        service_key=SERVICE,
        template_id=TEMPLATES["email"],
        email=f"amala.{place}@example.com",
        personalisation=PERSONALISATION,
        target_id=f"target-{place}",
        target_type="Estimates",
        user="group:finance",
        message="The estimates are ready to be approved",
        require_action=place % 10 == 0,
    )


def _times(office: Office, port: int) -> dict[str, list[float]]:
    """Milliseconds of each request, by page; those that come first prepare what is kept in memory."""
    token = issue_officer_token(
        secret=office.secret,
        email=_OFFICER,
        groups=["finance"],
        issued_at=int(time.time()),
        valid_for_seconds=3_600,
    )
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Cookie": f"hackneyToken={token}"}

    def ask(path: str) -> tuple[float, str]:
        began = time.perf_counter()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            raise SystemExit(f"{path} was answered {answer.status}")
        return (time.perf_counter() - began) * 1_000, text

    newest = _TO_ONE.findall(ask("/inbox")[1])[0]
    paths = {name: path.format(id=newest) for name, path in _PAGES.items()}
    took = {name: [ask(path)[0] for _ in range(_FIRST + _TIMES)][_FIRST:] for name, path in paths.items()}
    connection.close()
    return took


def _figure(kind: str, took: dict[str, list[float]]) -> Figure:
    slowest = max(took, key=lambda name: percentile(took[name], 99))
    return below(
        AIM_MS,
        f"pages, the slowest ({slowest}), p99, {kind}",
        percentile(took[slowest], 99),
        unit="ms",
        p50_ms={name: percentile(values, 50) for name, values in took.items()},
        p99_ms={name: percentile(values, 99) for name, values in took.items()},
    )
