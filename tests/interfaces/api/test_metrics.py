"""The page of metrics tells where everything stands, and nothing of anybody."""

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
    await office.accepted(office.email(email="amala.bird@example.com"))

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
    }
    assert {kind: value for (name, kind), value in told.items() if name == "postroom_unaccounted"} == {
        "without-end-or-step": 0,
        "without-deliveries": 0,
        "not-kept": 0,
    }
    assert {kind for name, kind in told if name == "postroom_deliveries_open"} == {"send", "look", "poll"}
    assert told[("process_resident_memory_bytes", "")] > 1e6
    assert "amala" not in answer.text
