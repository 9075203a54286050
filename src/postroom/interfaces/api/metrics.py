"""Where everything stands, for Prometheus: from the database, so that any one API process tells of all."""

import asyncio
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from litestar import get
from litestar.types import ASGIApp
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from postroom.app import App
from postroom.domain.circuit import Position
from postroom.features.notifications.circuits import Circuits, host_of
from postroom.features.notifications.dead_letters import Cause, count_dead
from postroom.features.notifications.ledger import OpenSteps, Unaccounted, find_unaccounted, open_steps
from postroom.features.webhooks.standing import FeedbackStanding, feedback_standing
from postroom.interfaces.api.answer import Answer
from postroom.interfaces.api.parts import AnyRequest
from postroom.kit.database import DatabaseUnavailable

MEDIA_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
STATE_KEY = "metrics"
_KEPT = timedelta(seconds=2)
_PATIENCE_SECONDS = 5
_LOOKED_BACK = timedelta(minutes=15)
"""What was accepted since is compared piece by piece; for all that ever was there is `postroom ledger`."""


@get("/metrics")
async def show_metrics(request: AnyRequest) -> ASGIApp:
    page: MetricsPage = request.app.state[STATE_KEY]
    return Answer(await page.text(), media_type=MEDIA_TYPE)


class MetricsPage:
    """The page, made anew at most every few seconds: whoever asks cannot keep the database busy."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._lock = asyncio.Lock()
        self._made_at: datetime | None = None
        self._text = b""

    async def text(self) -> bytes:
        async with self._lock:
            now = self._app.clock()
            if self._made_at is None or now - self._made_at >= _KEPT:
                registry = CollectorRegistry(auto_describe=False)
                registry.register(_Ready(await _families(self._app)))
                ProcessCollector(registry=registry)
                self._text, self._made_at = generate_latest(registry), now
            return self._text


class _Ready(Collector):
    """Families that have been made."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = tuple(families)

    def collect(self) -> Iterator[Metric]:
        yield from self._families


async def _families(app: App) -> list[Metric]:
    now = app.clock()
    up = GaugeMetricFamily("postroom_database_up", "Whether the database answers.")
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS), app.database.reading() as conn:
            steps = await open_steps(conn, now=now)
            dead = await count_dead(conn)
            unaccounted = await find_unaccounted(conn, since=now - _LOOKED_BACK)
            feedback = await feedback_standing(conn)
    except (DatabaseUnavailable, TimeoutError):
        up.add_metric([], 0)
        return [up]
    up.add_metric([], 1)
    return [
        up,
        *_of_steps(steps, now),
        _of_dead(dead.items()),
        _of_unaccounted(unaccounted),
        *_of_feedback(feedback, now),
        _of_circuits(app.circuits),
    ]


def _of_steps(steps: OpenSteps, now: datetime) -> list[Metric]:
    waiting = GaugeMetricFamily(
        "postroom_deliveries_open", "Deliveries that have not ended, by their next step.", labels=["step"]
    )
    for step, number in steps.steps.items():
        waiting.add_metric([step.value], number)
    overdue = GaugeMetricFamily(
        "postroom_deliveries_overdue", "Deliveries whose next step is late by a minute or more."
    )
    overdue.add_metric([], steps.overdue)
    late = GaugeMetricFamily(
        "postroom_longest_overdue_seconds", "For how long the step that is the most late has been due."
    )
    is_late = steps.longest_due is not None and steps.longest_due < now
    late.add_metric([], (now - steps.longest_due).total_seconds() if is_late and steps.longest_due else 0)
    return [waiting, overdue, late]


def _of_dead(dead: Iterable[tuple[Cause, int]]) -> Metric:
    family = GaugeMetricFamily(
        "postroom_dead_letters", "Deliveries that need a decision, by their cause.", labels=["cause"]
    )
    for cause, number in dead:
        family.add_metric([cause.value], number)
    return family


def _of_unaccounted(unaccounted: Unaccounted) -> Metric:
    family = GaugeMetricFamily(
        "postroom_unaccounted",
        "What was accepted and has neither a declared end nor a known next step. Always 0.",
        labels=["kind"],
    )
    family.add_metric(["without-end-or-step"], unaccounted.without_end_or_step)
    family.add_metric(["without-deliveries"], unaccounted.without_deliveries)
    family.add_metric(["not-kept"], unaccounted.not_kept)
    return family


def _of_feedback(standing: FeedbackStanding, now: datetime) -> list[Metric]:
    oldest = standing.oldest_unpublished
    age = 0.0 if oldest is None else max((now - oldest).total_seconds(), 0)
    told = {
        "postroom_feedback_unpublished": (
            "What happened and has no place in the feed yet.",
            standing.unpublished,
        ),
        "postroom_feedback_oldest_unpublished_seconds": ("For how long the first of it has had none.", age),
        "postroom_webhook_calls_waiting": ("Calls of webhooks that are still to be made.", standing.calls),
        "postroom_webhooks": ("Services that are called back.", standing.endpoints),
        "postroom_webhooks_off": ("Those of them that were switched off.", standing.endpoints_off),
    }
    return [GaugeMetricFamily(name, words, value=value) for name, (words, value) in told.items()]


def _of_circuits(circuits: Circuits) -> Metric:
    """Only this process's: another learns for itself. What waits for a provider is among the open steps."""
    family = GaugeMetricFamily(
        "postroom_circuit_open",
        "Whether this process holds calls to a provider back, because it does not answer.",
        labels=["provider", "call"],
    )
    is_open: dict[tuple[str, str], bool] = {}
    for way, position in circuits.states().items():
        key = host_of(way), way.call.value
        is_open[key] = is_open.get(key, False) or position is not Position.CLOSED
    for labels, value in is_open.items():
        family.add_metric(labels, value)
    return family
