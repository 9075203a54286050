"""Which phone numbers Notify texts.

libphonenumber knows the plans of the world; Notify wraps rules of its own around it, and these are they. The
library's tables are read region by region as numbers need them, so the import stays small.
"""

import re
from contextlib import suppress
from typing import NamedTuple

import phonenumbers
from phonenumbers import PhoneNumberType, ValidationResult

from notify_rules.errors import ErrorKind, InvalidPhoneNumber
from notify_rules.whitespace import EVERY_BLANK

NOT_ENOUGH_DIGITS = "Not enough digits"
TOO_MANY_DIGITS = "Too many digits"
LETTERS_OR_SYMBOLS = "Must not contain letters or symbols"
NOT_VALID = "Number is not valid – double check the phone number you entered"
NOT_A_COUNTRY = "Not a valid country prefix"
NOT_A_UK_MOBILE = "Not a UK mobile number"
NOT_ABROAD = "Cannot send to international mobile numbers"

_UK = 44
_ALLOWED_CHARACTERS = frozenset(EVERY_BLANK + "()-+0123456789")
_LANDLINES = frozenset(
    {PhoneNumberType.FIXED_LINE, PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.UAN}
)
_REACHABLE = _LANDLINES | {PhoneNumberType.MOBILE, PhoneNumberType.PERSONAL_NUMBER}
# Numbers kept for films and television, which the library calls invalid. Notify means 7700 900000 to 900999
# and writes it as one character class, so anything of a possible length that begins 7700 and a digit passes.
_TELEVISION = re.compile(r"7700[0-9]")
_LENGTH_FAULTS = {
    ValidationResult.TOO_LONG: TOO_MANY_DIGITS,
    ValidationResult.TOO_SHORT: NOT_ENOUGH_DIGITS,
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: NOT_ENOUGH_DIGITS,
    ValidationResult.INVALID_COUNTRY_CODE: NOT_A_COUNTRY,
}


class PhoneNumber(NamedTuple):
    e164: str
    international: bool
    """Its prefix is not +44. Such a text needs a permission, and ends at `sent`."""
    crown_dependency: bool = False
    """Jersey, Guernsey, Isle of Man: needs no permission, though Notify too stops at `sent`."""


def check_phone_number(value: str, *, international: bool) -> PhoneNumber:
    """The number as Notify would dial it. `international` is the service's permission to text abroad."""
    number = _parse_leniently(value)
    if number.country_code != _UK and not international:
        raise InvalidPhoneNumber(NOT_ABROAD, ErrorKind.BAD_REQUEST)
    if number.country_code == _UK and phonenumbers.number_type(number) in _LANDLINES:
        raise InvalidPhoneNumber(NOT_A_UK_MOBILE, ErrorKind.INVALID_PHONE)
    return PhoneNumber(
        e164=phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        international=number.country_code != _UK,
        crown_dependency=_is_crown_dependency(number),
    )


def _parse_leniently(value: str) -> phonenumbers.PhoneNumber:
    try:
        return _parse(value)
    except InvalidPhoneNumber:
        # Typing slips such as "+07700…", "0+44…" or a row of zeros. Only as a second try: in a number that is
        # right as it stands the plus has a meaning.
        return _parse(value.replace("+", "").lstrip("0"))


def _parse(value: str) -> phonenumbers.PhoneNumber:
    if not _ALLOWED_CHARACTERS.issuperset(value):
        raise InvalidPhoneNumber(LETTERS_OR_SYMBOLS)
    if not value:
        raise InvalidPhoneNumber(NOT_ENOUGH_DIGITS)
    try:
        number = phonenumbers.parse(value, "GB")
    except phonenumbers.NumberParseException:
        raise InvalidPhoneNumber(NOT_VALID) from None
    number = _of_possible_length(number, value)
    if not (_is_reachable(number) or _TELEVISION.match(str(number.national_number))):
        raise InvalidPhoneNumber(NOT_VALID)
    return number


def _of_possible_length(number: phonenumbers.PhoneNumber, value: str) -> phonenumbers.PhoneNumber:
    fault = phonenumbers.is_possible_number_with_reason(number)
    if fault == ValidationResult.IS_POSSIBLE:
        return number
    # Spreadsheets drop the plus and the zeros of a foreign number.
    with suppress(phonenumbers.NumberParseException):
        foreign = phonenumbers.parse(f"+{value}")
        if phonenumbers.is_possible_number(foreign):
            return foreign
    raise InvalidPhoneNumber(_LENGTH_FAULTS.get(fault, NOT_VALID))


def _is_reachable(number: phonenumbers.PhoneNumber) -> bool:
    return phonenumbers.is_valid_number(number) and phonenumbers.number_type(number) in _REACHABLE


def _is_crown_dependency(number: phonenumbers.PhoneNumber) -> bool:
    return number.country_code == _UK and phonenumbers.region_code_for_number(number) in {"JE", "GG", "IM"}
