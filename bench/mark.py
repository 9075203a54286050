"""How long one request takes that marks all 25,000 unread notifications of an officer as read.

They were accepted for a group; each round is another officer of it, who has never read any. One request,
from before it is written until it is answered. Beside it the CPU of the API's process.
"""

import http.client
import json
import time
from collections.abc import Iterator

from bench.figures import Figure, below, middle
from bench.office import Office, accept_many, doors, prepare
from bench.options import Bench
from bench.servers import Running
from postroom.domain.channel import Channel
from postroom.features.notifications.mark import MOST_MARKED
from postroom.features.notifications.request import NewNotification
from postroom.interfaces.tokens import issue_officer_token

AIM_MS = 1_000
_NOWHERE = "http://127.0.0.1:9"


def measure(bench: Bench) -> Iterator[Figure]:
    for kind in bench.databases:
        with bench.databases_of(kind, 1) as (url,):
            office = prepare(url, notify_url=_NOWHERE)
            accept_many(office, MOST_MARKED, new=_of_finance)
            with doors(office, "api", place=bench.place) as api:
                took = [_mark_all(office, api, officer) for officer in range(bench.rounds + 1)]
        # The first one finds nothing in memory.
        ms = [each[0] for each in took[1:]]
        cpu_ms = [each[1] for each in took[1:]]
        yield below(
            AIM_MS, f"mark all of {MOST_MARKED:,}, {kind}", middle(ms), unit="ms", each=ms, cpu_ms=cpu_ms
        )


def _of_finance(place: int) -> NewNotification:
    return NewNotification(
        channels=(Channel.SCREEN,),
        target_id=f"target-{place}",
        target_type="Estimates",
        user="group:finance",
        message="The estimates are ready to be approved",
        require_action=place % 10 == 0,
    )


def _mark_all(office: Office, api: Running, officer: int) -> tuple[float, float]:
    """Milliseconds, and those of the API's CPU."""
    token = issue_officer_token(
        secret=office.secret,
        email=f"amala.officer-{officer}@hackney.gov.uk",
        groups=["finance"],
        issued_at=int(time.time()),
        valid_for_seconds=3_600,
    )
    connection = http.client.HTTPConnection("127.0.0.1", api.port)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request("GET", "/notifications/count", headers=headers)
    connection.getresponse().read()
    spent, began = api.cpu_seconds(), time.perf_counter()
    connection.request("POST", "/notifications/mark", json.dumps({"actionType": "IsRead"}), headers)
    said = connection.getresponse().read()
    took, spent = time.perf_counter() - began, api.cpu_seconds() - spent
    if json.loads(said) != {"marked": MOST_MARKED, "isComplete": True}:
        raise SystemExit(f"it was answered {said[:200]!r}")
    connection.close()
    return took * 1_000, spent * 1_000
