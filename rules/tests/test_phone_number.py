import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_rules.errors import ErrorKind, InvalidPhoneNumber, InvalidRecipient
from notify_rules.phone_number import PhoneNumber, check_phone_number

AMALA = PhoneNumber("+447700900123", international=False)
JOE = PhoneNumber("+447400123456", international=False)

UK = {
    "ok-send-sms": ("07700900123", AMALA),
    "ok-sms-prefix": ("+44 7700 900 123", AMALA),
    "ok-phone-tv-number-one-digit-short-is-accepted": (
        "0770090012",
        PhoneNumber("+44770090012", international=False),
    ),
    "no-leading-zero": ("7400123456", JOE),
    "spaces": ("07400 123 456", JOE),
    "dashes": ("07400-123-456", JOE),
    "brackets": ("(07400) 123456", JOE),
    "bracketed-zero": ("(0)7400 123 456", JOE),
    "prefix-and-bracketed-zero": ("+44 (0)7400 123 456", JOE),
    "two-zeros": ("00447400123456", JOE),
    "two-zeros-and-spaces": ("00 44 7400 123456", JOE),
    "prefix-without-plus": ("447400123456", JOE),
    "stray-plus": ("+07400123456", JOE),
    "stray-zero-before-prefix": ("0+447400123456", JOE),
    "row-of-zeros": ("000007400123456", JOE),
    "blanks-around": ("\t 07400123456 \r\n", JOE),
    "invisible-around": ("\u200b\t+44 (0)7400 123 456\ufeff \r\n", JOE),
    "no-break-spaces": ("07400\u00a0123\u00a0456", JOE),
    "personal-number": ("07012345678", PhoneNumber("+447012345678", international=False)),
    "jersey": ("07797 712345", PhoneNumber("+447797712345", international=False, crown_dependency=True)),
    "guernsey": ("07781 123456", PhoneNumber("+447781123456", international=False, crown_dependency=True)),
    "isle-of-man": ("07624 312345", PhoneNumber("+447624312345", international=False, crown_dependency=True)),
}

ABROAD = {
    "ok-send-sms-international": ("+1 202-555-0104", "+12025550104"),
    "france": ("+33 6 12 34 56 78", "+33612345678"),
    "two-zeros": ("0033612345678", "+33612345678"),
    "spreadsheet-dropped-the-plus": ("33612345678", "+33612345678"),
    "landline-abroad": ("+33 1 42 68 53 00", "+33142685300"),
    "egypt": ("20-10-0123-4567", "+201001234567"),
}

LETTERS = "Must not contain letters or symbols"
INVALID = "Number is not valid – double check the phone number you entered"
TOO_SHORT = "Not enough digits"
TOO_LONG = "Too many digits"
LANDLINE = "Not a UK mobile number"

REFUSED_AT_ONCE = {
    "err-phone-empty": ("", TOO_SHORT),
    "err-phone-invalid-number": ("06700900123", INVALID),
    "err-phone-letters": ("07700abc123", LETTERS),
    "err-phone-too-long": ("077009001234567", TOO_LONG),
    "zeros-only": ("000000", TOO_SHORT),
    "one-digit": ("7", INVALID),
    "two-digits": ("079", TOO_SHORT),
    "too-short": ("07400 1234", INVALID),
    # Without its zero it could be a number of Russia, and is none.
    "one-digit-too-long": ("07400 123 4560", INVALID),
    "three-digits-too-long": ("07400 123 456 789", TOO_LONG),
    "one-digit-short": ("07400 12345", INVALID),
    "freephone": ("0800 123 4567", INVALID),
    "premium-rate": ("0909 879 0123", INVALID),
    "unassigned": ("0600 000 0000", INVALID),
    "landline-for-television": ("01632 960001", INVALID),
    "slash": ("07400/123456", LETTERS),
    "dot": ("07400.123.456", LETTERS),
    "hash": ("#07400123456", LETTERS),
    "extension": ("07400123456 ext 2", LETTERS),
    "arabic-digits": ("٠٧٤٠٠١٢٣٤٥٦", LETTERS),
    "only-punctuation": ("()-", INVALID),
    "unknown-country": ("+999 123 456 789", TOO_LONG),
}

LANDLINES = {
    "err-phone-landline": "02070900123",
    "with-prefix": "+44 20 7946 0018",
    "countrywide": "0300 123 1234",
}


@pytest.mark.parametrize("international", [True, False], ids=["abroad-allowed", "uk-only"])
@pytest.mark.parametrize(("written", "expected"), UK.values(), ids=UK)
def test_accepts_a_number_of_the_uk(written: str, expected: PhoneNumber, international: bool) -> None:
    assert check_phone_number(written, international=international) == expected


@pytest.mark.parametrize(("written", "expected"), ABROAD.values(), ids=ABROAD)
def test_accepts_a_number_abroad_with_the_permission(written: str, expected: str) -> None:
    assert check_phone_number(written, international=True) == PhoneNumber(expected, international=True)


@pytest.mark.parametrize(("written", "_expected"), ABROAD.values(), ids=ABROAD)
def test_refuses_a_number_abroad_without_the_permission(written: str, _expected: str) -> None:
    assert _refusal(written, international=False) == (
        "Cannot send to international mobile numbers",
        ErrorKind.BAD_REQUEST,
    )


@pytest.mark.parametrize("international", [True, False], ids=["abroad-allowed", "uk-only"])
@pytest.mark.parametrize(("written", "message"), REFUSED_AT_ONCE.values(), ids=REFUSED_AT_ONCE)
def test_refuses_with_the_shape_of_the_request(written: str, message: str, international: bool) -> None:
    assert _refusal(written, international=international) == (message, ErrorKind.VALIDATION)


@pytest.mark.parametrize("written", LANDLINES.values(), ids=LANDLINES)
def test_refuses_a_landline_later(written: str) -> None:
    assert _refusal(written, international=True) == (LANDLINE, ErrorKind.INVALID_PHONE)


@given(
    st.one_of(
        st.from_regex(r"(\+44|0044|0)?7[0-9]{9}", fullmatch=True),
        st.from_regex(r"\+[1-9][0-9]{6,13}", fullmatch=True),
        st.text(alphabet="0123456789+()- ", max_size=20),
        st.text(max_size=20),
    )
)
def test_a_checked_number_is_its_own_spelling(value: str) -> None:
    try:
        number = check_phone_number(value, international=True)
    except InvalidRecipient:
        return
    assert check_phone_number(number.e164, international=True) == number


@given(st.text(max_size=30))
def test_a_refusal_does_not_quote_the_value(value: str) -> None:
    message = _message(value)

    assert message in {"accepted", LETTERS, INVALID, TOO_SHORT, TOO_LONG, LANDLINE}


def _message(value: str) -> str:
    try:
        check_phone_number(value, international=True)
    except InvalidRecipient as refused:
        return str(refused)
    return "accepted"


def _refusal(written: str, *, international: bool) -> tuple[str, ErrorKind]:
    with pytest.raises(InvalidPhoneNumber) as refused:
        check_phone_number(written, international=international)
    assert str(refused.value) == refused.value.message
    return refused.value.message, refused.value.kind
