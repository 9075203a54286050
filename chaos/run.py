"""One run: the plan carried out, everything healed, every end waited for, and the count taken."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from chaos.caller import AGAIN, Caller
from chaos.doing import Doer
from chaos.evidence import Evidence, collect, unended
from chaos.logs import read_logs
from chaos.plan import Plan
from chaos.report import Run
from chaos.stage import Stage, stage
from postroom.kit.database import DatabaseUnavailable, open_database

_ANSWERED_WITHIN = 60.0
_ENDED_WITHIN = 150.0
_GOOD = {"POST 201", "POST 207", "DELETE 204", "DELETE 404", "POST no answer", "DELETE no answer"}
_BUSY = {f"{who} {status}" for who in ("POST", "DELETE", "bulk item") for status in AGAIN - {0, 500}}


async def carry_out(plan: Plan, *, place: Path, say: Callable[[str], None]) -> tuple[Run, Evidence]:
    """What happened, and what is to be compared. All its processes are ended at the end."""
    async with stage(plan.database, place) as made:
        began_at = datetime.now(UTC)
        say("everything runs; the plan begins")
        looking_after = [asyncio.create_task(each.look_after()) for each in made.processes.values()]
        caller, doer = Caller(made), Doer(made)
        await _carry_out(plan, caller, doer)
        healed_at = datetime.now(UTC)
        say("everything is healed; waiting for every delivery to end")
        await _until_ended(made)
        strange = {name: count for name, count in caller.answers.items() if name not in _GOOD | _BUSY}
        logs = read_logs(place)
        told = list(caller.told.values())
        evidence = await collect(made, told=told, strange_answers=strange, logs=logs)
        for task in looking_after:
            task.cancel()
        run = Run(
            plan=plan,
            began=began_at,
            healed_at=healed_at,
            deeds=dict(sorted(doer.done.items())),
            connections_cut=doer.connections_cut,
            answers=dict(caller.answers.most_common()),
            ended_by_themselves={
                each.name: each.ended_by_itself for each in made.processes.values() if each.ended_by_itself
            },
            errors=logs.errors,
            bad_stops=doer.bad_stops,
        )
        return run, evidence


async def _carry_out(plan: Plan, caller: Caller, doer: Doer) -> None:
    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        group.create_task(caller.post_all(plan.posts, began=began, patience=_ANSWERED_WITHIN))
        await doer.do_all(plan.deeds, began=began)
        await asyncio.sleep(max(0.0, began + plan.seconds - time.monotonic()))
        await doer.heal()


async def _until_ended(made: Stage) -> None:
    """Wait until every delivery has ended; what has not by then is found by the comparison."""
    database = open_database(made.database_url)
    until = time.monotonic() + _ENDED_WITHIN
    try:
        while time.monotonic() < until:
            try:
                if await unended(database) == 0:
                    return
            except DatabaseUnavailable:
                pass
            await asyncio.sleep(0.5)
    finally:
        await database.close()
