"""The blanks that Notify forgives: those that are seen, and those that came along with a copied text."""

import re
import string

ZERO_WIDTH = "\u180e\u200b\u200c\u200d\u2060\ufeff"
FULL_WIDTH = "\u00a0\u202f"
EVERY_BLANK = string.whitespace + ZERO_WIDTH + FULL_WIDTH

_DROP_OBSCURE = dict.fromkeys(map(ord, ZERO_WIDTH + FULL_WIDTH))
_DROP_EVERY = dict.fromkeys(map(ord, EVERY_BLANK))
_WIDEN = {**dict.fromkeys(map(ord, ZERO_WIDTH)), **dict.fromkeys(map(ord, FULL_WIDTH), " ")}
_BLANKS_BEFORE_A_STOP = re.compile(r"[ \t]+(?=[,.])")


def strip_obscure(text: str) -> str:
    """Invisible characters go wherever they stand, ordinary blanks only at the ends."""
    # None of them is ASCII: most texts need no look at each character.
    return (text if text.isascii() else text.translate(_DROP_OBSCURE)).strip(string.whitespace)


def remove_all(text: str) -> str:
    return text.translate(_DROP_EVERY)


def single_spaced(text: str) -> str:
    return " ".join(text.translate(_WIDEN).split())


def close_up_stops(text: str) -> str:
    """`one , two .` becomes `one, two.`."""
    return _BLANKS_BEFORE_A_STOP.sub("", text)
