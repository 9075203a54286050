"""The comparison of the fire test sees whatever is wrong, and nothing where all is well."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from chaos.caller import Told
from chaos.compare import Wrong, compare, undecided
from chaos.evidence import Evidence, Kept, Notification, Taken
from chaos.traffic import Fate, Item

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DECISION = "needs a decision: it may have been sent"


def told(number: int, *, fate: Fate = Fate.TAKEN, **others: Any) -> Told:
    """One that was accepted as n<number>, with the delivery d<number>."""
    item = Item(number=number, kind="email", channels=("Email",), fate=fate, to={}, values={})
    known = {"ids": {f"n{number}"}, "deliveries": {f"d{number}"}} | others
    return Told(item, has_key=True, **known)


def notification(number: int, *, is_removed: bool = False) -> Notification:
    return Notification(id=f"n{number}", target_id=f"chaos-{number}", is_removed=is_removed)


def kept(number: int, status: str = "delivered", **others: Any) -> Kept:
    usual = {"reason": None, "attempts": 1, "completed_at": NOON + timedelta(seconds=1)}
    return Kept(
        id=f"d{number}",
        notification_id=f"n{number}",
        channel="Email",
        status=status,
        created_at=NOON,
        **(usual | others),
    )


def taken(number: int, status: str = "delivered", *, place: str = "") -> Taken:
    return Taken(id=f"m{number}{place}", reference=f"d{number}", status=status)


SOUND = Evidence(
    told=[
        told(1),
        told(2),
        told(3, fate=Fate.REFUSED),
        told(4, fate=Fate.SIMULATED),
        told(5, removal_asked=True, is_removed=True),
        told(6, ids=set(), deliveries=set()),
        told(7, ids=set(), deliveries=set()),
    ],
    notifications=[*(notification(number) for number in (1, 2, 3, 4, 6)), notification(5, is_removed=True)],
    kept=[
        kept(1),
        kept(2, "permanent-failure"),
        kept(3, "permanent-failure", reason="a team key"),
        kept(4, reason="simulated"),
        kept(5, "cancelled", reason="removed"),
        kept(6, "received"),
    ],
    listed={f"n{number}" for number in (1, 2, 3, 4, 6)},
    taken=[taken(1), taken(2, "permanent-failure"), taken(6, "received")],
    unaccounted=0,
)


def with_kept(number: int, status: str, **others: Any) -> Callable[[Evidence], Evidence]:
    def changed(evidence: Evidence) -> Evidence:
        rest = [each for each in evidence.kept if each.id != f"d{number}"]
        return msgspec.structs.replace(evidence, kept=[*rest, kept(number, status, **others)])

    return changed


def with_taken(*more: Taken) -> Callable[[Evidence], Evidence]:
    return lambda evidence: msgspec.structs.replace(evidence, taken=[*evidence.taken, *more])


def without(name: str, number: int) -> Callable[[Evidence], Evidence]:
    def changed(evidence: Evidence) -> Evidence:
        marks = {f"n{number}", f"d{number}", f"m{number}"}
        left = [each for each in getattr(evidence, name) if getattr(each, "id", each) not in marks]
        return msgspec.structs.replace(evidence, **{name: left})

    return changed


def with_told(one: Told) -> Callable[[Evidence], Evidence]:
    def changed(evidence: Evidence) -> Evidence:
        rest = [each for each in evidence.told if each.item.number != one.item.number]
        return msgspec.structs.replace(evidence, told=[*rest, one])

    return changed


def with_notification(one: Notification) -> Callable[[Evidence], Evidence]:
    def changed(evidence: Evidence) -> Evidence:
        rest = [each for each in evidence.notifications if each.id != one.id]
        return msgspec.structs.replace(evidence, notifications=[*rest, one])

    return changed


def both(*changes: Callable[[Evidence], Evidence]) -> Callable[[Evidence], Evidence]:
    def changed(evidence: Evidence) -> Evidence:
        for change in changes:
            evidence = change(evidence)
        return evidence

    return changed


def other(**fields: Any) -> Callable[[Evidence], Evidence]:
    return lambda evidence: msgspec.structs.replace(evidence, **fields)


def test_where_all_is_well_nothing_is_found() -> None:
    assert compare(SOUND) == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(with_kept(3, "suppressed", reason="too many"), id="suppressed, with the reason"),
        pytest.param(with_kept(6, "dead", reason=DECISION), id="taken, and says that it may have been"),
        pytest.param(
            both(without("taken", 1), with_kept(1, "dead", reason="given up: busy")),
            id="given up, and why",
        ),
        pytest.param(
            both(with_kept(5, "delivered"), with_taken(taken(5))), id="removed after it had been sent"
        ),
    ],
)
def test_what_is_declared_is_no_fault(change: Callable[[Evidence], Evidence]) -> None:
    assert compare(change(SOUND)) == []


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        pytest.param(without("taken", 1), [Wrong.LOST], id="delivered, they say, and never taken"),
        pytest.param(without("kept", 3), [Wrong.LOST], id="accepted, and its delivery gone"),
        pytest.param(
            both(without("notifications", 4), without("listed", 4), without("kept", 4)),
            [Wrong.LOST, Wrong.LOST],
            id="accepted, and gone altogether",
        ),
        pytest.param(
            both(without("taken", 1), with_kept(1, "permanent-failure", reason="no")),
            [Wrong.LOST],
            id="refused, though the provider would have taken it",
        ),
        pytest.param(
            both(without("taken", 1), with_kept(1, "suppressed")),
            [Wrong.LOST],
            id="suppressed without reason",
        ),
        pytest.param(
            both(without("taken", 1), with_kept(1, "cancelled", reason="removed")),
            [Wrong.LOST],
            id="cancelled, and nobody asked for that",
        ),
        pytest.param(with_taken(taken(1, place="again")), [Wrong.TWICE], id="sent twice"),
        pytest.param(
            with_taken(Taken(id="m9", reference="d9", status="delivered")),
            [Wrong.ASTRAY],
            id="sent, and not known",
        ),
        pytest.param(
            with_taken(Taken(id="m9", reference=None, status="delivered")),
            [Wrong.ASTRAY],
            id="sent without a reference",
        ),
        pytest.param(with_kept(2, "delivered"), [Wrong.WRONG_END], id="delivered, and it bounced"),
        pytest.param(with_kept(1, "dead", reason="given up"), [Wrong.WRONG_END], id="given up, and sent"),
        pytest.param(
            both(with_taken(taken(5)), with_told(told(5, removal_asked=True, is_removed=True))),
            [Wrong.WRONG_END],
            id="cancelled, and sent",
        ),
        pytest.param(with_taken(taken(3)), [Wrong.WRONG_END], id="refused, and sent"),
        pytest.param(with_kept(1, "sending", completed_at=None), [Wrong.NOT_ENDED], id="not ended"),
        pytest.param(
            both(with_kept(1, "pending", completed_at=None), without("taken", 1)),
            [Wrong.NOT_ENDED],
            id="never sent",
        ),
        pytest.param(with_told(told(1, ids={"n1", "n2"})), [Wrong.MADE_TWICE], id="two ids for one request"),
        pytest.param(
            both(
                with_notification(Notification(id="n8", target_id="chaos-6", is_removed=False)),
                other(listed={*SOUND.listed, "n8"}),
            ),
            [Wrong.MADE_TWICE],
            id="two notifications of one request that had no answer",
        ),
        pytest.param(without("listed", 2), [Wrong.NOT_LISTED], id="kept and not listed"),
        pytest.param(other(listed={*SOUND.listed, "n5"}), [Wrong.NOT_LISTED], id="removed and listed"),
        pytest.param(
            both(with_notification(notification(1, is_removed=True)), without("listed", 1)),
            [Wrong.NOT_LISTED],
            id="removed, and nobody asked for that",
        ),
        pytest.param(
            both(with_notification(notification(5)), other(listed={*SOUND.listed, "n5"})),
            [Wrong.NOT_LISTED],
            id="a removal that was confirmed and is not kept",
        ),
        pytest.param(other(strange_answers={"POST 500": 2}), [Wrong.STRANGE_ANSWER], id="answered 500"),
        pytest.param(other(personal_in_logs={"api-0.log": 1}), [Wrong.PERSONAL], id="personal data in a log"),
        pytest.param(other(unaccounted=3), [Wrong.UNACCOUNTED], id="the ledger cannot account for some"),
    ],
)
def test_whatever_is_wrong_is_found(change: Callable[[Evidence], Evidence], wrong: list[Wrong]) -> None:
    assert [fault.wrong for fault in compare(change(SOUND))] == wrong


def test_a_delivery_that_nobody_posted_is_found() -> None:
    strange = msgspec.structs.replace(SOUND, kept=[*SOUND.kept, kept(99)])

    assert [fault.wrong for fault in compare(strange)] == [Wrong.ASTRAY]


def test_what_awaits_a_decision_is_told_apart() -> None:
    dead = kept(1, "dead", reason=DECISION)

    assert undecided([dead, kept(2), kept(3, "cancelled")]) == [dead]
