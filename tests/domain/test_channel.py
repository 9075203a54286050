"""Channels by their names, and as bits."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.channel import CARRIED, Channel, channel_named, from_mask, to_mask


@pytest.mark.parametrize(
    ("channels", "mask"),
    [
        pytest.param((), 0, id="none"),
        pytest.param((Channel.SCREEN,), 1, id="screen"),
        pytest.param((Channel.EMAIL,), 2, id="email"),
        pytest.param((Channel.TEXT,), 4, id="text"),
        pytest.param((Channel.LETTER,), 8, id="letter"),
        pytest.param((Channel.LETTER, Channel.SCREEN), 9, id="two, in any order"),
        pytest.param((Channel.EMAIL, Channel.EMAIL), 2, id="one, said twice"),
        pytest.param(tuple(Channel), 15, id="all"),
    ],
)
def test_to_mask(channels: tuple[Channel, ...], mask: int) -> None:
    assert to_mask(channels) == mask


@given(st.lists(st.sampled_from(Channel)))
def test_a_mask_gives_the_channels_back_each_once_in_their_order(channels: list[Channel]) -> None:
    assert from_mask(to_mask(channels)) == tuple(channel for channel in Channel if channel in channels)


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize("spelling", [str.lower, str.upper, str.title, "\t{} ".format])
def test_a_channel_is_known_in_any_capitals(channel: Channel, spelling: Callable[[str], str]) -> None:
    assert channel_named(spelling(channel.value)) is channel


@pytest.mark.parametrize("name", ["", "sms", "Screen,Email", "E-mail", "letters"])
def test_other_words_are_no_channel(name: str) -> None:
    assert channel_named(name) is None


def test_all_but_the_screen_are_carried() -> None:
    assert CARRIED == (Channel.EMAIL, Channel.TEXT, Channel.LETTER)
