"""The page of metrics tells where everything stands, and nothing of anybody."""

import asyncio
import time
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

pytestmark = pytest.mark.asyncio(loop_scope="module")


def samples(text: str) -> dict[tuple[str, str], float]:
    return {
        (sample.name, "".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_it_tells_where_everything_stands(office: Any) -> None:
    made = await office.accepted(office.email(email="amala.bird@example.com"))
    await office.ended(made["id"])

    answer = await office.call("GET", "/metrics", anonymous=True)
    told = samples(answer.text)

    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert told[("postroom_database_up", "")] == 1
    assert {name for name, _ in told if name.startswith("postroom_")} == {
        "postroom_database_up",
        "postroom_deliveries_open",
        "postroom_deliveries_overdue",
        "postroom_longest_overdue_seconds",
        "postroom_dead_letters",
        "postroom_unaccounted",
        "postroom_feedback_unpublished",
        "postroom_feedback_oldest_unpublished_seconds",
        "postroom_webhook_calls_waiting",
        "postroom_webhooks",
        "postroom_webhooks_off",
        "postroom_circuit_open",
    }
    assert {kind: value for (name, kind), value in told.items() if name == "postroom_unaccounted"} == {
        "without-end-or-step": 0,
        "without-deliveries": 0,
        "not-kept": 0,
    }
    assert {kind for name, kind in told if name == "postroom_deliveries_open"} == {"send", "look", "poll"}
    assert told[("process_resident_memory_bytes", "")] > 1e6
    assert "amala" not in answer.text


async def test_it_tells_what_is_held_back_and_how_much_feedback_waits(office: Any) -> None:
    """Notify is away, and a service's own end too."""
    office.sandbox.fail("down", path="/v2/notifications")
    set_up = await office.call("PUT", "/webhook", body={"url": "http://127.0.0.1:9/nobody"})
    assert set_up.status == 201
    for _ in range(12):
        await office.accepted(office.email())
    sending = "postroom_circuit_open", "send" + office.sandbox.url.removeprefix("http://")

    async def told() -> dict[tuple[str, str], float]:
        return samples((await office.call("GET", "/metrics", anonymous=True)).text)

    end = time.monotonic() + 15
    while (now := await told()).get(sending) != 1:
        assert time.monotonic() < end, now
        await asyncio.sleep(0.2)
    assert now[("postroom_webhooks", "")] == 1
    assert now[("postroom_webhooks_off", "")] == 0
    assert now[("postroom_webhook_calls_waiting", "")] >= 1
    office.sandbox.heal()
    while (now := await told()).get(sending) != 0:
        assert time.monotonic() < end + 15, now
        await asyncio.sleep(0.2)
    assert now[("postroom_feedback_oldest_unpublished_seconds", "")] < 60
