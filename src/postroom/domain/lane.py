"""Which queue a delivery waits in: what came alone never waits behind what came in bulk."""

from enum import IntEnum


class Lane(IntEnum):
    SINGLE = 0
    BULK = 1
