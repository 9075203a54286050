"""What a notification can be about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.target_type import KNOWN, canonical, label, nearest


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        pytest.param("Estimates", "Estimates", id="known"),
        pytest.param("estimatesandactuals", "EstimatesAndActuals", id="known, in other capitals"),
        pytest.param("MissedServiceCharge", "MissedServiceChargePayments", id="alias"),
        pytest.param("MISSEDSERVICECHARGE", "MissedServiceChargePayments", id="alias, in other capitals"),
        pytest.param("ParkingPermit", "ParkingPermit", id="new"),
        pytest.param("Permit2027", "Permit2027", id="new, with digits"),
        pytest.param("A" * 64, "A" * 64, id="as long as can be"),
        pytest.param("A" * 65, None, id="too long"),
        pytest.param("parkingPermit", None, id="not PascalCase"),
        pytest.param("Parking Permit", None, id="two words"),
        pytest.param("Estimates,Actuals", None, id="two names"),
        pytest.param("2027Permit", None, id="a digit first"),
        pytest.param("Ärger", None, id="a letter beyond A to Z"),
        pytest.param("Estimates\n", None, id="a line break"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_canonical(given_name: str, kept: str | None) -> None:
    assert canonical(given_name) == kept


@given(st.text(max_size=70))
def test_what_is_kept_is_kept_as_it_is(name: str) -> None:
    kept = canonical(name)

    assert kept is None or canonical(kept) == kept


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        pytest.param("Estimate", ["Estimates", "EstimatesAndActuals"], id="one letter short"),
        pytest.param("estimates, actuals", ["Estimates", "EstimatesAndActuals"], id="the first of several"),
        pytest.param("Tenur", ["Tenure"], id="cut"),
        pytest.param("Xyzzy", [], id="nothing like it"),
    ],
)
def test_nearest(written: str, meant: list[str]) -> None:
    assert nearest(written) == meant


@given(st.text(max_size=30))
def test_the_nearest_are_few_known_and_different(written: str) -> None:
    names = nearest(written)

    assert len(names) <= 3
    assert set(names) <= set(KNOWN)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("name", "words"), [("Asset", "Property"), ("ParkingPermit", "ParkingPermit")])
def test_label(name: str, words: str) -> None:
    assert label(name) == words
