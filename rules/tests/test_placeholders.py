import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify_rules.placeholders import Style, fill, missing, names, normalise_name

RECORDED_BODY = (
    "Dear ((name)),\n\nYour reference is ((ref)).\n\n# Heading\n\n* one\n* two\n\nhttps://www.gov.uk"
)
RECORDED_SMS = "Hello ((name)), your code is ((code))"

FILLED = {
    "ok-send-email": (
        (RECORDED_BODY, {"name": "Amala", "ref": "X1"}, Style.BODY),
        "Dear Amala,\n\nYour reference is X1.\n\n# Heading\n\n* one\n* two\n\nhttps://www.gov.uk",
    ),
    "ok-send-email-subject": (
        ("Hello ((name))", {"name": "Amala", "ref": "X1"}, Style.SUBJECT),
        "Hello Amala",
    ),
    "ok-send-email-extra-personalisation-and-list": (
        (RECORDED_BODY, {"name": ["a", "b"], "ref": 12, "unused": True}, Style.BODY),
        "Dear \n\n* a\n* b,\n\nYour reference is 12.\n\n# Heading\n\n* one\n* two\n\nhttps://www.gov.uk",
    ),
    "ok-send-email-list-in-subject": (
        ("Hello ((name))", {"name": ["a", "b"]}, Style.SUBJECT),
        "Hello a and b",
    ),
    "ok-send-sms": (
        (RECORDED_SMS, {"name": "Amala", "code": "1234"}, Style.SMS),
        "Hello Amala, your code is 1234",
    ),
    "ok-phone-tv-number-one-digit-short-is-accepted": (
        (RECORDED_SMS, {"name": 1, "code": 2}, Style.SMS),
        "Hello 1, your code is 2",
    ),
    "ok-sms-prefix": (
        ("Hello ((name))", {"NAME": "case-insensitive key"}, Style.SMS),
        "Hello case-insensitive key",
    ),
    "ok-send-letter": (("Dear ((name)), body", {"name": "Amala"}, Style.LETTER), "Dear Amala, body"),
    "ok-send-letter-subject": (("Letter to ((name))", {"name": "A"}, Style.SUBJECT), "Letter to A"),
    "three-in-a-text": (("((x))", {"x": ["a", "b", "c"]}, Style.SMS), "a, b and c"),
    "one-in-a-text": (("((x))", {"x": ["a"]}, Style.SMS), "a"),
    "three-in-a-letter": (("Due: ((x))", {"x": ["a", "b", "c"]}, Style.LETTER), "Due: \n\n* a\n* b\n* c"),
    "empty-list": (("[((x))]", {"x": []}, Style.BODY), "[]"),
    "list-of-nothing": (("[((x))]", {"x": [None, "", " "]}, Style.BODY), "[]"),
    "list-of-numbers": (("((x))", {"x": [1, 2.5]}, Style.SMS), "1 and 2.5"),
    "number": (("((x))", {"x": 12.5}, Style.BODY), "12.5"),
    "zero": (("((x))", {"x": 0}, Style.BODY), "0"),
    "boolean": (("((x))", {"x": False}, Style.BODY), "False"),
    "empty-string": (("a((x))b", {"x": ""}, Style.BODY), "ab"),
    "missing-stays": (("a ((x)) b", {"y": 1}, Style.BODY), "a ((x)) b"),
    "none-stays": (("a ((x)) b", {"x": None}, Style.BODY), "a ((x)) b"),
    "other-spelling": (("((First name))", {"first_name": "Joe"}, Style.BODY), "Joe"),
    "value-is-not-filled-again": (("((x))", {"x": "((y))", "y": 1}, Style.BODY), "((y))"),
    "html-passes": (("<b>((x))</b>", {"x": "<i>&amp;</i>"}, Style.BODY), "<b><i>&amp;</i></b>"),
    "three-brackets": (("(((x)))", {"x": "a"}, Style.BODY), "(a)"),
    "body-trimmed": (("\n ((x)) \n", {"x": "a"}, Style.BODY), "a"),
    "text-tidied": (("  a   b , c\n\n\n\nd \t", {}, Style.SMS), "a b, c\n\nd"),
    "subject-on-one-line": ((" a \n b .", {}, Style.SUBJECT), "a b."),
    "subject-dashes": (("a - b -- c-d", {}, Style.SUBJECT), "a – b – c-d"),
}

SHOWN = ["yes", "YES", "y", "true", "True", "t", "1", "include", "show", True, 1]
HIDDEN = ["no", "false", "", "0", "maybe", " yes", False, 0, [], ["yes"], ["yes", "no"]]

NAMES = {
    "none": (["Nothing to fill in"], []),
    "in-order": (["((b)) ((a))"], ["b", "a"]),
    "over-several-texts": (["Hello ((name))", "((ref)) ((name))"], ["name", "ref"]),
    "twice": (["((name)) ((NAME)) ((na me))"], ["name"]),
    "conditional": (["((show??some text)) ((show))"], ["show"]),
    "conditional-with-question-marks": (["((show??really??))"], ["show"]),
    "empty-brackets": (["(())"], []),
    "single-brackets": (["(name)"], []),
    "brackets-inside": (["((a(b)c))"], []),
    "over-two-lines": (["((first\nname))"], ["first\nname"]),
}


@pytest.mark.parametrize(("given_", "expected"), FILLED.values(), ids=FILLED)
def test_fills(given_: tuple[str, dict[str, object], Style], expected: str) -> None:
    text, values, style = given_

    assert fill(text, values, style=style) == expected


def test_a_style_may_be_named() -> None:
    assert fill("((x))", {"x": ["a", "b"]}, style="subject") == "a and b"


@pytest.mark.parametrize("value", SHOWN, ids=repr)
def test_shows_conditional_text(value: object) -> None:
    assert fill("a ((show??b??))", {"show": value}, style=Style.BODY) == "a b??"


@pytest.mark.parametrize("value", HIDDEN, ids=repr)
def test_hides_conditional_text(value: object) -> None:
    assert fill("a((show??b))", {"show": value}, style=Style.BODY) == "a"


@pytest.mark.parametrize(("texts", "expected"), NAMES.values(), ids=NAMES)
def test_names_in_order_of_first_use(texts: list[str], expected: list[str]) -> None:
    assert names(*texts) == expected


@pytest.mark.parametrize("written", ["First name", "first_name", "FIRST-NAME", "firstname", " first  name "])
def test_names_match_without_regard_to_spelling(written: str) -> None:
    assert normalise_name(written) == "firstname"


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        pytest.param({"name": "x"}, ["ref"], id="err-missing-personalisation-email"),
        pytest.param({}, ["name", "ref"], id="err-missing-personalisation-sms"),
        pytest.param({"NAME": "x", "R E_F": ""}, [], id="spelling-and-empty-string"),
        pytest.param({"name": None, "ref": False}, ["name"], id="none-is-missing"),
    ],
)
def test_missing_in_the_order_required(given_: dict[str, object], expected: list[str]) -> None:
    assert missing(required=["name", "ref"], given=given_) == expected


TEXTS = st.text(alphabet="ab()? _-\n", max_size=40)


@given(TEXTS, st.sampled_from(Style))
def test_a_text_without_placeholders_is_left_as_filled(text: str, style: Style) -> None:
    once = fill(text, dict.fromkeys(names(text), "x"), style=style)

    assert fill(once, {}, style=style) == once


@given(TEXTS)
def test_every_name_found_is_missing_until_it_is_given(text: str) -> None:
    found = names(text)

    assert missing(required=found, given={}) == found
    assert missing(required=found, given=dict.fromkeys(found, "x")) == []
