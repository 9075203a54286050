import pytest

from notify_rules.simulated import is_simulated, outcome_with_test_key


@pytest.mark.parametrize(
    "recipient",
    [
        "simulate-delivered@notifications.service.gov.uk",
        "simulate-delivered-2@notifications.service.gov.uk",
        "simulate-delivered-3@notifications.service.gov.uk",
        " Simulate-Delivered@Notifications.Service.GOV.UK ",
        "07700900000",
        "07700900111",
        "07700900222",
        "+447700900222",
        "+44 (0)7700 900 111",
        "00447700900000",
        "447700-900-000",
        "7700900000",
    ],
)
def test_is_simulated(recipient: str) -> None:
    assert is_simulated(recipient) is True


@pytest.mark.parametrize(
    "recipient",
    [
        "amala@example.gov.uk",
        "simulate-delivered-4@notifications.service.gov.uk",
        "simulate-delivered@example.gov.uk",
        "temp-fail@simulator.notify",
        "07700900123",
        "07700900003",
        "+17700900000",
        "",
    ],
)
def test_is_not_simulated(recipient: str) -> None:
    assert is_simulated(recipient) is False


@pytest.mark.parametrize(
    ("recipient", "status"),
    [
        ("temp-fail@simulator.notify", "temporary-failure"),
        ("perm-fail@simulator.notify", "permanent-failure"),
        ("07700900003", "temporary-failure"),
        ("+44 7700 900 002", "permanent-failure"),
        ("07700900001", "delivered"),
        ("amala@example.gov.uk", "delivered"),
    ],
)
def test_ends_as_notify_says_it_will(recipient: str, status: str) -> None:
    assert outcome_with_test_key(recipient) == status
