"""How long single texts take from their POST to the provider's door."""

import asyncio
import json
import random
import time
from collections.abc import Sequence

import aiohttp

from bench.office import SERVICE, Office
from bench.stub import TEMPLATES, Stub

_LAST_SECONDS = 30


def waits_of_texts(
    office: Office, port: int, notify: Stub, *, number: int, every: float, seconds: float = 600
) -> list[float]:
    """Seconds from before the POST to the arrival at the stub, of so many texts, one about every so often.

    Ends earlier where the time is up.
    """
    posted = asyncio.run(_post(office, port, number, every, seconds))
    until = time.monotonic() + _LAST_SECONDS
    while True:
        arrived = {reference: at for reference, at in notify.arrivals() if reference in posted}
        if len(arrived) == len(posted):
            return [arrived[delivery_id] - at for delivery_id, at in posted.items()]
        if time.monotonic() > until:
            raise SystemExit(f"{len(posted) - len(arrived)} texts did not reach the provider")
        time.sleep(0.2)


async def _post(office: Office, port: int, number: int, every: float, seconds: float) -> dict[str, float]:
    """When each delivery was asked for, by its id."""
    posted = {}
    until = time.monotonic() + seconds
    async with aiohttp.ClientSession(headers={"x-api-key": office.api_key}) as session:
        for place in range(number):
            body = json.dumps(_a_text(place)).encode()
            before = time.monotonic()
            async with session.post(
                f"http://127.0.0.1:{port}/notifications",
                data=body,
                headers={"content-type": "application/json"},
            ) as answer:
                said = await answer.json()
                if answer.status != 201:
                    raise SystemExit(f"a text was answered {answer.status}")
            posted[said["deliveries"][0]["id"]] = before
            if before > until:
                break
            # Not in step with anything that wakes at equal times.
            await asyncio.sleep(every * random.uniform(0.5, 1.5))
    return posted


def _a_text(place: int) -> dict[str, object]:
    return {
        "notificationType": "Text",
        "serviceKey": SERVICE,
        "templateId": TEMPLATES["sms"],
        "mobileNumber": f"0770090{place % 10_000:04d}",
        "personalisationParams": {"name": "Amala", "code": f"{place:06d}"},
    }


def in_milliseconds(waits: Sequence[float]) -> list[float]:
    return [wait * 1000 for wait in waits]
