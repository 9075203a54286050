"""How many emails a second POST /notifications takes, durably written; and the memory of both doors in one.

The floor (bench/floors/accept.py) writes the same rows by the same driver with group commit, behind a bare
endpoint: notification and delivery, and on PostgreSQL the job, because an email that nothing hands to a
worker is not accepted. On SQLite the delivery is the job. The entry in the audit, the key, the limits and
the sealing are ours alone. The load comes from one more process.
"""

import json
from collections.abc import Iterator

import psutil

from bench.figures import Figure, at_least, below, middle
from bench.loading import Answered, Target, load, request
from bench.office import SERVICE, Office, doors, prepare
from bench.options import Bench
from bench.servers import running
from bench.stub import TEMPLATES, Stub, stub

AIM = 0.70
MEMORY_AIM_MB = 150
_WARM_UP_SECONDS = 1.0


def measure(bench: Bench) -> Iterator[Figure]:
    with stub(bench.place) as notify:
        for kind in bench.databases:
            yield _rate(bench, kind, notify)
            yield _memory(bench, kind, notify)


def _rate(bench: Bench, kind: str, notify: Stub) -> Figure:
    rounds: list[tuple[Answered, Answered]] = []
    with bench.databases_of(kind, 2) as (url, floor_url):
        office = prepare(url, notify_url=notify.url)
        with (
            doors(office, "api", place=bench.place) as ours,
            running("bench.floors.accept", floor_url, place=bench.place) as floor,
        ):
            targets = [Target(each, [a_post(office, each.port)]) for each in (ours, floor)]
            for target in targets:
                load(target, bench, seconds=_WARM_UP_SECONDS)
            for _ in range(bench.rounds + 1):
                its, our = (load(target, bench, seconds=bench.seconds) for target in reversed(targets))
                rounds.append((our, its))
    return at_least(
        AIM,
        f"accept, {kind}",
        unit="a second",
        pairs=[(our.rate, its.rate) for our, its in rounds],
        cpu_us=[middle([each[side].cpu_us for each in rounds]) for side in (0, 1)],
        p99_ms=[middle([each[side].p99_ms for each in rounds]) for side in (0, 1)],
    )


def _memory(bench: Bench, kind: str, notify: Stub) -> Figure:
    """Resident memory of API and worker in one process, after some load."""
    with bench.databases_of(kind, 1) as (url,):
        office = prepare(url, notify_url=notify.url)
        with doors(office, "api+worker", place=bench.place) as process:
            at_rest = psutil.Process(process.process.pid).memory_info().rss / 2**20
            load(Target(process, [a_post(office, process.port)]), bench, seconds=bench.seconds)
            after = process.most_memory_mb()
    return below(MEMORY_AIM_MB, f"memory of both doors, {kind}", after, unit="MB", at_rest=at_rest)


def a_post(office: Office, port: int) -> bytes:
    body = {
        "notificationType": "Email",
        "serviceKey": SERVICE,
        "templateId": TEMPLATES["email"],
        "email": "amala@example.com",
        "personalisationParams": {"name": "Amala", "ref": "REP-2026-00017"},
    }
    return request(port, "/notifications", json.dumps(body).encode(), {"x-api-key": office.api_key})
