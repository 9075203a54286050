import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from notify_rules.countries import PostageZone, find_country
from notify_rules.errors import ErrorKind, InvalidPostalAddress, InvalidRecipient
from notify_rules.postal_address import (
    PostalAddress,
    address_lines,
    check_postal_address,
    format_postcode,
)

HOME = PostageZone.UNITED_KINGDOM
FRANCE = ["A B", "1 Rue X", "75001 Paris", "France"]

AT_HOME = {
    "ok-send-letter": (
        ["Amala Bird", "123 High Street", "SW14 6BH"],
        ("Amala Bird", "123 High Street", "SW14 6BH"),
    ),
    "postcode-tidied": (
        ["Amala Bird", "123 High Street", "sw146bh"],
        ("Amala Bird", "123 High Street", "SW14 6BH"),
    ),
    "postcode-spaced-oddly": (
        ["Amala", "1 High Street", "S W 1 4 6BH"],
        ("Amala", "1 High Street", "SW14 6BH"),
    ),
    "blank-lines": (
        ["Amala", "", " ", "1 High Street", ",", "SW14 6BH"],
        ("Amala", "1 High Street", "SW14 6BH"),
    ),
    "trailing-commas": (["Amala,", "1 High Street ,", "SW14 6BH"], ("Amala", "1 High Street", "SW14 6BH")),
    "blanks-inside": (
        ["Amala \t Bird", "1  High\u00a0Street , Flat 2", "SW14 6BH"],
        ("Amala Bird", "1 High Street, Flat 2", "SW14 6BH"),
    ),
    "one-text": (["Amala\n1 High Street\nSW14 6BH"], ("Amala", "1 High Street", "SW14 6BH")),
    "seven-lines": (["1", "2", "3", "4", "5", "6", "SW14 6BH"], ("1", "2", "3", "4", "5", "6", "SW14 6BH")),
    "country-dropped": (
        ["Amala", "1 High Street", "SW14 6BH", "United Kingdom"],
        ("Amala", "1 High Street", "SW14 6BH"),
    ),
    "countries-dropped": (
        ["Amala", "1 High Street", "SW14 6BH", "England", "U.K."],
        ("Amala", "1 High Street", "SW14 6BH"),
    ),
    "jersey": (["Amala", "1 High Street", "JE2 3XX", "Jersey"], ("Amala", "1 High Street", "JE2 3XX")),
}

BFPO = {
    "number-alone": (["Joe", "Unit 4", "BFPO 801"], ("Joe", "Unit 4", "BFPO 801")),
    "number-moves-to-the-end": (["Joe", "bfpo 801", "Unit 4"], ("Joe", "Unit 4", "BFPO 801")),
    "written-together": (["Joe", "Unit 4", "Bfpo801"], ("Joe", "Unit 4", "BFPO 801")),
    "care-of": (["Joe", "Unit 4", "BFPO c/o 801"], ("Joe", "Unit 4", "BFPO 801")),
    "said-twice": (["Joe", "Unit 4", "BFPO", "BFPO 801"], ("Joe", "Unit 4", "BFPO 801")),
    "with-postcode": (["Joe", "BFPO 801", "bf1 0aa"], ("Joe", "BF1 0AA", "BFPO 801")),
    "home-is-no-country": (["Joe", "Unit 4", "BFPO 801", "UK"], ("Joe", "Unit 4", "BFPO 801")),
}

TOO_FEW = "Address must be at least 3 lines"
TOO_MANY = "Address must be no more than 7 lines"
NO_POSTCODE = "Must be a real UK postcode"
NO_POSTCODE_OR_COUNTRY = "Last line of address must be a real UK postcode or another country"
BFPO_COUNTRY = "The last line of a BFPO address must not be a country."
FIRST_CHARACTER = (
    "Address lines must not start with any of the following characters: @ ( ) = [ ] ” \\ / , < >"
)
NO_FIXED_ABODE = "Must be a real address"
UNREADABLE = "The first 2 lines of the address must both include at least one alphanumeric character"

REFUSED_EVERYWHERE = {
    "err-letter-no-address": (["", "", "", "", "", "", ""], TOO_FEW),
    "nothing-at-all": ([], TOO_FEW),
    "err-letter-too-few-lines": (["A", "SW1A 1AA"], TOO_FEW),
    "only-a-country": (["England"], TOO_FEW),
    "home-country-does-not-count": (["A", "SW1A 1AA", "England"], TOO_FEW),
    "too-many-lines": (["1", "2", "3", "4", "5", "6", "7", "SW1A 1AA"], TOO_MANY),
    "err-letter-bfpo-country": (["A", "BFPO 1", "Germany", "Germany"], BFPO_COUNTRY),
    "err-letter-invalid-characters": (["[A", "B", "SW1A 1AA"], FIRST_CHARACTER),
    "nfa": (["A", "NFA", "SW1A 1AA"], NO_FIXED_ABODE),
    "no-fixed-abode": (["A", "Of no fixed abode", "SW1A 1AA"], NO_FIXED_ABODE),
    "no-fixed-address": (["A", "No Fixed Address", "SW1A 1AA"], NO_FIXED_ABODE),
    "first-line-without-a-letter": (["---", "1 High Street", "SW1A 1AA"], UNREADABLE),
    "second-line-without-a-letter": (["Amala", "***", "SW1A 1AA"], UNREADABLE),
}

NO_GOOD_LAST_LINE = {
    "err-letter-bad-postcode": ["A", "B", "not a postcode"],
    "outward-part-only": ["A", "B", "SW1A"],
    "unknown-area": ["A", "B", "QQ1 1AA"],
    "letter-that-no-postcode-has": ["A", "B", "SW1A 1AC"],
    "postcode-not-last": ["A", "B", "SW1A 1AA", "London"],
    "bfpo-without-a-number": ["A", "B", "BFPO"],
}

POSTCODES = {
    "SW1A 1AA": "SW1A 1AA",
    "sw1a1aa": "SW1A 1AA",
    "n16 5tr": "N16 5TR",
    "E8 1EA": "E8 1EA",
    "GIR 0AA": None,
    "SW1A 1AI": None,
    "XX1 1AA": None,
    "SW1A": None,
    "": None,
}

COUNTRIES = {
    "france": ("France", PostageZone.EUROPE),
    "  FRANCE. ": ("France", PostageZone.EUROPE),
    "Deutschland": ("Germany", PostageZone.EUROPE),
    "Republic of Ireland": ("Ireland", PostageZone.EUROPE),
    "the Netherlands": ("Netherlands", PostageZone.EUROPE),
    "Yr Almaen": ("Germany", PostageZone.EUROPE),
    "cote d’ivoire": ("Ivory Coast", PostageZone.REST_OF_WORLD),
    "U.S.A.": ("United States", PostageZone.REST_OF_WORLD),
    "Trinidad & Tobago": ("Trinidad and Tobago", PostageZone.REST_OF_WORLD),
    "Wales": ("United Kingdom", PostageZone.UNITED_KINGDOM),
    "Isle of Man": ("United Kingdom", PostageZone.UNITED_KINGDOM),
    "London": None,
    "": None,
}


@pytest.mark.parametrize("international", [True, False], ids=["abroad-allowed", "uk-only"])
@pytest.mark.parametrize(("lines", "printed"), AT_HOME.values(), ids=AT_HOME)
def test_prints_an_address_at_home(lines: list[str], printed: tuple[str, ...], international: bool) -> None:
    expected = PostalAddress(printed, postcode=printed[-1], country=None, zone=HOME)

    assert check_postal_address(lines, international=international) == expected


@pytest.mark.parametrize(("lines", "printed"), BFPO.values(), ids=BFPO)
def test_prints_a_forces_address(lines: list[str], printed: tuple[str, ...]) -> None:
    postcode = "BF1 0AA" if "BF1 0AA" in printed else None
    expected = PostalAddress(printed, postcode=postcode, country=None, zone=HOME, bfpo_number=801)

    assert check_postal_address(lines, international=False) == expected


def test_prints_an_address_abroad_with_the_permission() -> None:
    expected = PostalAddress(tuple(FRANCE), postcode=None, country="France", zone=PostageZone.EUROPE)

    assert check_postal_address([*FRANCE[:3], "FRANCE"], international=True) == expected


def test_refuses_an_address_abroad_without_the_permission() -> None:
    assert _refusal(FRANCE, international=False) == NO_POSTCODE


@pytest.mark.parametrize("international", [True, False], ids=["abroad-allowed", "uk-only"])
@pytest.mark.parametrize(("lines", "message"), REFUSED_EVERYWHERE.values(), ids=REFUSED_EVERYWHERE)
def test_refuses_in_the_words_of_notify(lines: list[str], message: str, international: bool) -> None:
    assert _refusal(lines, international=international) == message


@pytest.mark.parametrize("lines", NO_GOOD_LAST_LINE.values(), ids=NO_GOOD_LAST_LINE)
def test_names_what_the_last_line_may_be(lines: list[str]) -> None:
    assert _refusal(lines, international=True) == NO_POSTCODE_OR_COUNTRY
    assert _refusal(lines, international=False) == NO_POSTCODE


@pytest.mark.parametrize("character", '@()=[]"\\/<>~')
def test_refuses_a_line_that_starts_oddly(character: str) -> None:
    assert _refusal(["A", f"{character}B", "SW1A 1AA"], international=False) == FIRST_CHARACTER


@pytest.mark.parametrize(("text", "expected"), POSTCODES.items())
def test_formats_a_postcode(text: str, expected: str | None) -> None:
    assert format_postcode(text) == expected


@pytest.mark.parametrize(("line", "expected"), COUNTRIES.items())
def test_finds_a_country(line: str, expected: tuple[str, PostageZone] | None) -> None:
    assert find_country(line) == expected


def test_reads_seven_lines_of_personalisation() -> None:
    personalisation = {f"address_line_{number}": str(number) for number in range(1, 8)}

    assert address_lines({**personalisation, "postcode": "unread", "name": "Amala"}) == list("1234567")


def test_reads_a_postcode_where_there_is_no_seventh_line() -> None:
    personalisation = {"address_line_1": "Amala", "address_line_2": 12, "postcode": "SW14 6BH"}

    assert address_lines(personalisation) == ["Amala", "12", "", "", "", "", "SW14 6BH"]


def test_an_empty_seventh_line_hides_the_postcode() -> None:
    assert address_lines({"address_line_7": "", "postcode": "SW14 6BH"}) == [""] * 7


@pytest.mark.parametrize("key", ["addressLine1", "ADDRESS_LINE_1", "address line 1", "Address_Line_1"])
def test_reads_no_other_spelling(key: str) -> None:
    assert address_lines({key: "Amala"}) == [""] * 7


ADDRESSES = st.lists(
    st.one_of(
        st.text(max_size=12),
        st.sampled_from(["SW1A 1AA", "France", "England", "BFPO 12", "Amala Bird", "1 High Street", " , ."]),
    ),
    max_size=9,
)


@given(ADDRESSES)
def test_a_checked_address_passes_unchanged(lines: list[str]) -> None:
    try:
        address = check_postal_address(lines, international=True)
    except InvalidRecipient:
        return
    # Of a BFPO address Notify takes the last country away only once: another before it may come to light.
    assume(address.bfpo_number is None or find_country(address.lines[-2]) is None)
    assert check_postal_address(address.lines, international=True) == address


def _refusal(lines: list[str], *, international: bool) -> str:
    with pytest.raises(InvalidPostalAddress) as refused:
        check_postal_address(lines, international=international)
    assert refused.value.kind is ErrorKind.VALIDATION
    return refused.value.message
