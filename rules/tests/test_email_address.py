import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_rules.email_address import check_email_address
from notify_rules.errors import ErrorKind, InvalidEmailAddress, InvalidRecipient

ACCEPTED = {
    "plain": "amala@example.gov.uk",
    "subdomains": "amala@mail.housing.example.gov.uk",
    "plus": "amala+repairs@example.gov.uk",
    "apostrophe": "joe.o'hara@example.gov.uk",
    "every-symbol": "!#$%&'*+/=?^_`{|}~-.x@example.gov.uk",
    "one-letter-local-part": "a@example.gov.uk",
    "leading-dot": ".a@x.gov.uk",
    "trailing-dot-in-local-part": "a.@x.gov.uk",
    "digits-in-domain": "amala@123.example.com",
    "hyphen-in-domain": "amala@hackney-homes.example.com",
    "long-top-level": "amala@example.photography",
    "international-domain": "amala@例え.テスト",
    "encoded-domain": "amala@xn--r8jz45g.xn--zckzah",
    "accent-in-domain": "amala@café.example.com",
    "capitals-kept": "Amala.Bird@Example.GOV.UK",
    "longest-label": f"a@{'b' * 63}.com",
    "longest-hostname": f"a@{'.'.join(['b' * 62] * 3 + ['c' * 60])}.com",
    "longest-address": f"{'a' * 308}@example.com",
}

REFUSED = {
    "err-email-empty": "",
    "err-email-no-at": "nope",
    "err-email-address-too-long": f"{'a' * 320}@example.com",
    "only-blanks": "  \t",
    "no-local-part": "@example.com",
    "no-domain": "amala@",
    "two-ats": "amala@joe@example.com",
    "no-dot-in-domain": "amala@example",
    "double-dot-in-local-part": "amala..bird@example.com",
    "double-dot-in-domain": "amala@example..com",
    "domain-begins-with-dot": "amala@.example.com",
    "domain-ends-with-dot": "amala@example.com.",
    "quoted-local-part": '"amala bird"@example.com',
    "semicolon": "amala;joe@example.com",
    "comma": "amala,joe@example.com",
    "brackets": "amala(home)@example.com",
    "angle-brackets": "Amala <amala@example.com>",
    "space-inside": "amala bird@example.com",
    "space-in-domain": "amala@exam ple.com",
    "accent-in-local-part": "amàla@example.com",
    "emoji-in-local-part": "amala😀@example.com",
    "curly-apostrophe": "joe.o’hara@example.com",
    "one-letter-top-level": "amala@example.c",
    "numeric-top-level": "amala@example.123",
    "internet-address": "amala@192.168.0.1",
    "bracketed-internet-address": "amala@[192.168.0.1]",
    "underscore-in-domain": "amala@my_council.example.com",
    "label-begins-with-hyphen": "amala@-example.com",
    "label-ends-with-hyphen": "amala@example-.com",
    "three-hyphens": "amala@exam---ple.com",
    "label-too-long": f"a@{'b' * 64}.com",
    "hostname-too-long": f"a@{'.'.join(['b' * 62] * 3 + ['c' * 61])}.com",
    "address-too-long": f"{'a' * 309}@example.com",
}

CLEANED = {
    "spaces-around": "  amala@example.gov.uk ",
    "tab-and-newline": "\tamala@example.gov.uk\r\n",
    "zero-width-space": "amala\u200b@example.gov.uk",
    "byte-order-mark": "\ufeffamala@example.gov.uk",
    "no-break-space-around": "\u00a0amala@example.gov.uk\u00a0",
    "no-break-space-inside": "amala\u00a0@example.gov.uk",
}


@pytest.mark.parametrize("address", ACCEPTED.values(), ids=ACCEPTED)
def test_accepts(address: str) -> None:
    assert check_email_address(address) == address


@pytest.mark.parametrize("address", REFUSED.values(), ids=REFUSED)
def test_refuses_in_the_words_of_notify(address: str) -> None:
    with pytest.raises(InvalidEmailAddress) as refused:
        check_email_address(address)

    assert (refused.value.message, refused.value.kind) == ("Not a valid email address", ErrorKind.VALIDATION)
    assert str(refused.value) == refused.value.message


@pytest.mark.parametrize("address", CLEANED.values(), ids=CLEANED)
def test_drops_what_cannot_be_seen(address: str) -> None:
    assert check_email_address(address) == "amala@example.gov.uk"


@given(st.one_of(st.emails(), st.text()))
def test_a_checked_address_passes_unchanged(value: str) -> None:
    try:
        address = check_email_address(value)
    except InvalidRecipient:
        return
    assert check_email_address(address) == address
