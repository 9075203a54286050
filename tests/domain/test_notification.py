"""What a notification tells of itself."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from postroom.domain.caller import Person, ServiceCaller
from postroom.domain.channel import Channel
from postroom.domain.notification import Notification, Personal

NOTIFICATION = Notification(
    id="0190a000-0000-7000-8000-000000000001",
    service_id="0190a000-0000-7000-8000-000000000002",
    target_id=None,
    target_type=None,
    channels=(Channel.SCREEN,),
    extra_channels=(),
    reference=None,
    template_id=None,
    template_ids={},
    require_action=False,
    template_unchecked=False,
    personal=Personal(),
    created_at=datetime(2026, 11, 2, tzinfo=UTC),
    version=1,
)


@pytest.mark.parametrize(
    ("version", "is_read", "etag"),
    [(1, False, '"1-u"'), (1, True, '"1-r"'), (12, False, '"12-u"'), (12, True, '"12-r"')],
)
def test_etag(version: int, is_read: bool, etag: str) -> None:
    assert replace(NOTIFICATION, version=version, is_read=is_read).etag == etag


@pytest.mark.parametrize(
    ("channels", "extra", "together"),
    [
        pytest.param((Channel.SCREEN,), (), (Channel.SCREEN,), id="one"),
        pytest.param((Channel.SCREEN,), (Channel.EMAIL,), (Channel.SCREEN, Channel.EMAIL), id="one more"),
        pytest.param((Channel.EMAIL,), (Channel.EMAIL,), (Channel.EMAIL,), id="the same again"),
        pytest.param(
            (Channel.LETTER, Channel.TEXT),
            (Channel.EMAIL,),
            (Channel.EMAIL, Channel.TEXT, Channel.LETTER),
            id="in order",
        ),
    ],
)
def test_all_channels(
    channels: tuple[Channel, ...], extra: tuple[Channel, ...], together: tuple[Channel, ...]
) -> None:
    assert replace(NOTIFICATION, channels=channels, extra_channels=extra).all_channels == together


def test_a_person_is_addressed_by_their_email_and_their_groups() -> None:
    amala = Person("amala@hackney.gov.uk", groups=("repairs", "leaseholders"))

    assert amala.audiences == ("amala@hackney.gov.uk", "group:repairs", "group:leaseholders")


@pytest.mark.parametrize(
    ("caller", "name"),
    [(Person("amala@hackney.gov.uk"), "amala@hackney.gov.uk"), (ServiceCaller("id", "repairs"), "repairs")],
)
def test_display_name(caller: Person | ServiceCaller, name: str) -> None:
    assert caller.display_name == name
