"""Which addresses Notify prints a letter for."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from notify_rules.countries import UNITED_KINGDOM, PostageZone, find_country
from notify_rules.errors import InvalidPostalAddress
from notify_rules.limits import ADDRESS_LINES_AT_LEAST, ADDRESS_LINES_AT_MOST
from notify_rules.whitespace import close_up_stops, remove_all, single_spaced

TOO_FEW_LINES = f"Address must be at least {ADDRESS_LINES_AT_LEAST} lines"
TOO_MANY_LINES = f"Address must be no more than {ADDRESS_LINES_AT_MOST} lines"
BFPO_WITH_COUNTRY = "The last line of a BFPO address must not be a country."
NO_POSTCODE = "Must be a real UK postcode"
NO_POSTCODE_OR_COUNTRY = "Last line of address must be a real UK postcode or another country"
BAD_FIRST_CHARACTER = (
    "Address lines must not start with any of the following characters: @ ( ) = [ ] ” \\ / , < >"
)
NO_FIXED_ABODE = "Must be a real address"
NOTHING_TO_READ = "The first 2 lines of the address must both include at least one alphanumeric character"

_LINE_KEYS = tuple(f"address_line_{number}" for number in range(1, 8))
_BAD_FIRST_CHARACTERS = tuple('@()=[]"\\/,<>~')
_NO_FIXED_ABODE = re.compile(r"no fixed (?:abode|address)", re.IGNORECASE)
_BFPO = re.compile(r"bfpo\s*(?:c/o)?\s*([0-9]+)?", re.IGNORECASE)
_AREAS = (
    "AB AL B BA BB BD BF BH BL BN BR BS BT BX CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E "
    "EC EH EN EX FK FY G GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L GIR LA LD LE LL LN "
    "LS LU M ME MK ML N NE NG NN NP NR NW OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP "
    "SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO ZE"
)
# The inward part leaves out the letters that are easily misread.
_POSTCODE = re.compile(rf"(?:{_AREAS.replace(' ', '|')})[0-9][0-9A-Z]?[0-9][ABD-HJLNP-UW-Z]{{2}}")


class PostalAddress(NamedTuple):
    lines: tuple[str, ...]
    """As they are printed: the postcode written properly, a foreign country under its own name."""
    postcode: str | None
    country: str | None
    """None at home, so that a country means postage abroad."""
    zone: PostageZone
    bfpo_number: int | None = None


def address_lines(personalisation: Mapping[str, object]) -> list[str]:
    """The lines of the address in a letter's personalisation.

    Unlike placeholders, the keys must be written exactly so: Notify finds no address in `addressLine1`.
    `postcode` counts only where there is no `address_line_7`, not even an empty one.
    """
    last = "address_line_7" if "address_line_7" in personalisation else "postcode"
    return [str(personalisation.get(key) or "") for key in (*_LINE_KEYS[:6], last)]


def check_postal_address(lines: Sequence[str], *, international: bool) -> PostalAddress:
    """The address as Notify prints it. `international` is the service's permission to post abroad."""
    address = _read(lines)
    if fault := _fault(address, international=international):
        raise InvalidPostalAddress(fault)
    return address


def format_postcode(text: str) -> str | None:
    """`sw1a1aa` becomes `SW1A 1AA`; None where it cannot be a postcode of the UK."""
    compact = remove_all(text).upper()
    return f"{compact[:-3]} {compact[-3:]}" if _POSTCODE.fullmatch(compact) else None


def _read(lines: Sequence[str]) -> PostalAddress:
    bfpo_number, body = _without_bfpo(_tidy(lines))
    country, zone, body = _without_country(body)
    postcode = format_postcode(body[-1]) if body and not country else None
    if postcode:
        body = [*body[:-1], postcode]
    if bfpo_number is not None:
        body = [*body, f"BFPO {bfpo_number}"]
    if country:
        body = [*body, country]
    return PostalAddress(tuple(body), postcode, country, zone, bfpo_number)


def _tidy(lines: Sequence[str]) -> list[str]:
    split = (part for line in lines for part in line.splitlines())
    trimmed = (single_spaced(part).rstrip(" ,") for part in split)
    return [close_up_stops(line) for line in trimmed if line]


def _without_bfpo(lines: list[str]) -> tuple[int | None, list[str]]:
    numbers = [match[1] for match in map(_BFPO.fullmatch, lines) if match and match[1]]
    if not numbers:
        return None, lines
    return int(numbers[0]), [line for line in lines if not _BFPO.fullmatch(line)]


def _without_country(lines: list[str]) -> tuple[str | None, PostageZone, list[str]]:
    found = find_country(lines[-1]) if lines else None
    if not found:
        return None, PostageZone.UNITED_KINGDOM, lines
    if found[0] != UNITED_KINGDOM:
        return *found, lines[:-1]
    while lines and (last := find_country(lines[-1])) and last[0] == UNITED_KINGDOM:
        lines = lines[:-1]
    return None, PostageZone.UNITED_KINGDOM, lines


def _fault(address: PostalAddress, *, international: bool) -> str | None:
    """The first that Notify would name."""
    if len(address.lines) < ADDRESS_LINES_AT_LEAST:
        return TOO_FEW_LINES
    if len(address.lines) > ADDRESS_LINES_AT_MOST:
        return TOO_MANY_LINES
    if address.bfpo_number is not None and address.country:
        return BFPO_WITH_COUNTRY
    if not _ends_well(address, international=international):
        return NO_POSTCODE_OR_COUNTRY if international else NO_POSTCODE
    return _fault_of_lines(address.lines)


def _ends_well(address: PostalAddress, *, international: bool) -> bool:
    if address.country:
        return international
    return address.postcode is not None or address.bfpo_number is not None


def _fault_of_lines(lines: tuple[str, ...]) -> str | None:
    if any(line.startswith(_BAD_FIRST_CHARACTERS) for line in lines):
        return BAD_FIRST_CHARACTER
    if any(line.lower() == "nfa" or _NO_FIXED_ABODE.search(line) for line in lines):
        return NO_FIXED_ABODE
    if not all(any(map(str.isalnum, line)) for line in lines[:2]):
        return NOTHING_TO_READ
    return None
