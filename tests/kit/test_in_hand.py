"""What is in hand is counted for as long as it is, and left when it takes too long."""

import asyncio

from postroom.kit.in_hand import InHand


async def test_what_is_in_hand_is_counted_until_it_ends() -> None:
    ended: list[int] = []
    hand: InHand[str] = InHand(let_go=lambda: ended.append(hand.number_for("a")))
    gate = asyncio.Event()

    async def work() -> None:
        await gate.wait()

    for key in ("a", "a", "b"):
        hand.begin(key, work())
    begun = hand.number_for("a"), hand.number_for("b"), hand.number_for("c"), hand.total()
    gate.set()
    await hand.idle()

    assert begun == (2, 1, 0, 3)
    assert (hand.number_for("a"), hand.total(), ended) == (0, 0, [1, 0, 0])


async def test_what_takes_too_long_is_left() -> None:
    ended: list[str] = []
    hand: InHand[str] = InHand(let_go=lambda: ended.append("one"))
    hand.begin("quick", asyncio.sleep(0))
    hand.begin("slow", asyncio.sleep(60))

    await hand.finish(within=0.05)
    await hand.finish(within=0)

    assert (ended, hand.number_for("slow"), hand.total()) == (["one", "one"], 0, 0)
