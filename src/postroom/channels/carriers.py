"""Which carrier each channel has."""

from collections.abc import Mapping

from postroom.channels.contract import Carrier
from postroom.channels.email import EmailCarrier
from postroom.channels.letter import LetterCarrier
from postroom.channels.text import TextCarrier
from postroom.domain.channel import Channel

CARRIERS: Mapping[Channel, Carrier] = {
    Channel.EMAIL: EmailCarrier(),
    Channel.TEXT: TextCarrier(),
    Channel.LETTER: LetterCarrier(),
}
