"""How many receipts a second POST /receipts/govuk-notify settles.

Each is the first of its delivery, which is on its way, and makes it delivered. The floor
(bench/floors/receipts.py) keeps the receipt and updates the delivery by the driver, with group commit,
behind a bare endpoint.
"""

import asyncio
import json
from collections.abc import Iterator

from sqlalchemy import text

from bench.figures import Figure, at_least, middle
from bench.loading import Target, load, request
from bench.office import Office, doors, prepare
from bench.options import Bench
from bench.rows import counted, fill, id_of, the_id
from bench.servers import running
from bench.stub import stub
from postroom.kit.database import open_database

AIM = 0.70
_DELIVERY, _AT_NOTIFY = 1, 2
_MOST_A_SECOND = 12_000


def measure(bench: Bench) -> Iterator[Figure]:
    with stub(bench.place) as notify:
        for kind in bench.databases:
            with bench.databases_of(kind, 2) as (url, floor_url):
                offices = [prepare(each, notify_url=notify.url) for each in (url, floor_url)]
                number = int(bench.rounds * bench.seconds * _MOST_A_SECOND)
                for office in offices:
                    asyncio.run(_send_all(office, number))
                yield _rate(bench, kind, *offices, number=number)


def _rate(bench: Bench, kind: str, office: Office, bare: Office, *, number: int) -> Figure:
    pairs, cpu_us = [], []
    each = number // bench.rounds
    with (
        doors(office, "api", place=bench.place) as ours,
        running("bench.floors.receipts", bare.url, bare.service_id, place=bench.place) as floor,
    ):
        for start in range(0, number, each):
            targets = [
                Target(server, [_receipt(office, server.port, place) for place in range(start, start + each)])
                for server in (floor, ours)
            ]
            its, our = (load(target, bench, seconds=bench.seconds) for target in targets)
            pairs.append((our.rate, its.rate))
            cpu_us.append((our.cpu_us, its.cpu_us))
    return at_least(
        AIM,
        f"receipts, {kind}",
        unit="a second",
        pairs=pairs,
        cpu_us=[middle([each[side] for each in cpu_us]) for side in (0, 1)],
    )


def _receipt(office: Office, port: int, place: int) -> bytes:
    body = {
        "id": id_of(place, kind=_AT_NOTIFY),
        "reference": id_of(place, kind=_DELIVERY),
        "to": "amala@example.com",
        "status": "delivered",
        "created_at": "2026-11-24T09:30:00.000000Z",
        "completed_at": "2026-11-24T09:30:05.000000Z",
        "sent_at": "2026-11-24T09:30:01.000000Z",
        "notification_type": "email",
    }
    token = {"authorization": f"Bearer {office.receipt_token}"}
    return request(port, "/receipts/govuk-notify", json.dumps(body).encode(), token)


async def _send_all(office: Office, number: int) -> None:
    """Deliveries that the provider has, and whose receipts are still to come."""
    database = open_database(office.url)
    postgres = database.is_postgres
    now = "now()" if postgres else "CAST(strftime('%s') AS INTEGER) * 1000000"
    due = "now() + interval '5 minutes'" if postgres else f"{now} + 300000000"
    service_id = office.service_id if postgres else office.service_id.replace("-", "")
    place = {kind: the_id("i", kind=kind, postgres=postgres) for kind in (_DELIVERY, _AT_NOTIFY)}
    somebody = f"CAST('{service_id}' AS uuid)" if postgres else f"'{service_id}'"
    statement = (
        "INSERT INTO deliveries (id, notification_id, service_id, credential_id, channel, template_id,"
        " status, created_at, due_at, notify_id, attempts, looks, polls, sent_at, lane)"
        f" SELECT {place[_DELIVERY]}, {place[_DELIVERY]}, {somebody}, {somebody}, 'Email', {somebody},"
        f" 'sending', {now}, {due}, {place[_AT_NOTIFY]}, 1, 0, 0, {now}, 0 FROM {counted(postgres=postgres)}"
    )
    async with database.transaction() as conn:
        await fill(conn, statement, rows=number)
        await conn.execute(text("ANALYZE"))
    await database.close()
