"""What may be done about a notification after what: every pair."""

from itertools import product

import pytest

from postroom.domain.action import (
    FINAL,
    READING,
    ActionType,
    Refused,
    action_named,
    decide,
    is_outstanding,
)

DECIDING = [action for action in ActionType if action not in READING]
STANDING = [None, *DECIDING]


@pytest.mark.parametrize(
    ("current", "wanted"),
    [pytest.param(*pair, id="→".join(map(str, pair))) for pair in product(STANDING, DECIDING)],
)
def test_decide(current: ActionType | None, wanted: ActionType) -> None:
    settled = current in {ActionType.APPROVED, ActionType.VALIDATE, ActionType.REJECTED}
    expected = Refused(f"This has already been settled: {current}.") if settled else wanted

    assert decide(current, wanted) == expected


@pytest.mark.parametrize(
    ("current", "wanted"),
    [pytest.param(*pair, id="→".join(map(str, pair))) for pair in product(STANDING, DECIDING)],
)
def test_who_may_reopen_decides_otherwise_but_never_the_same_again(
    current: ActionType | None, wanted: ActionType
) -> None:
    decided_so = current in FINAL and wanted is current
    expected = Refused(f"This has already been settled: {current}.") if decided_so else wanted

    assert decide(current, wanted, may_reopen=True) == expected


@pytest.mark.parametrize("current", STANDING)
@pytest.mark.parametrize("wanted", sorted(READING))
def test_reading_is_no_decision(current: ActionType | None, wanted: ActionType) -> None:
    with pytest.raises(ValueError, match="reading"):
        decide(current, wanted)


@pytest.mark.parametrize("require_action", [True, False])
@pytest.mark.parametrize("performed", STANDING)
def test_is_outstanding(require_action: bool, performed: ActionType | None) -> None:
    waits = {None, ActionType.INITIATED}

    assert is_outstanding(require_action=require_action, performed=performed) is (
        require_action and performed in waits
    )


@pytest.mark.parametrize("action", ActionType)
@pytest.mark.parametrize("spelling", [str, str.lower, str.upper, lambda name: f"  {name} "])
def test_an_action_is_known_in_any_capitals(action: ActionType, spelling: object) -> None:
    assert callable(spelling)
    assert action_named(spelling(action.value)) is action


@pytest.mark.parametrize("name", ["", "Approve", "Validated", "Is Read", "approved,rejected"])
def test_other_words_are_no_action(name: str) -> None:
    assert action_named(name) is None


def test_the_final_actions() -> None:
    assert {ActionType.APPROVED, ActionType.VALIDATE, ActionType.REJECTED} == FINAL
