"""Values from outside are shown as they are: they make no link, heading, list, rule or inset of an email."""

import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notify_rules import placeholders
from notify_sandbox.markdown import blocks, email_html
from postroom.channels import plain_values
from postroom.channels.plain_values import MARK, has_web_address, shown_as_it_is, shown_as_they_are

TEMPLATES = (
    "((a))",
    "Dear ((a)),\n\nYour reference is R-1.",
    "((a))((b))",
    "((a)) ((b))",
    "Before\n((a))\n((b))\nafter",
    "Before\n  ((a))",
)
"""Where values stand; without them each of these is text alone."""
SIGNS = (
    *("#", "##", "*", "-", "•", "^", "---", "***", "===", "1.", "12.", "1)", "_", "___", "`", "~~~"),
    *("[", "]", "(", ")", "[x]", "](", "[x](", "[x]: ", "<", ">", "&", "\\", "|", "!", "@", ":"),
    *("http", "https", "s", "HTTPS", ":", "/", "//", "://", "http://", "https://", "www.", "evil", ".link"),
    *("evil.link", "a.co.uk", "amala@example.com", "mailto:", "((b))", "((", "))", "Amala", "x"),
    *(" ", "  ", "\t", "\n", "\n\n", "\r\n", "\u2028", "\x85", "\u00a0", "\u200b", "\ufeff", "\u200e"),
)
REPEATED = (
    "\n",
    "[\n",
    " ",
    "=",
    "_ ",
    "a.",
    "a.b",
    "aa.",
    "]",
    "] ",
    "a@",
    "'",
    "\\",
    ":",
    "/",
    "h",
    "1",
    "1.",
)
HOSTILE = st.one_of(
    st.lists(st.sampled_from(SIGNS), max_size=12).map("".join),
    st.text(max_size=30),
    st.lists(st.sampled_from(SIGNS) | st.text(max_size=3), max_size=10).map("".join),
)


def filled(template: str, values: Any) -> str:
    return placeholders.fill(template, values, style="body")


@given(st.sampled_from(TEMPLATES), HOSTILE, HOSTILE)
def test_no_value_makes_anything_but_text(template: str, a: str, b: str) -> None:
    body = filled(template, shown_as_they_are({"a": a, "b": b}))

    assert [block.kind for block in blocks(body) if block.kind != "text"] == []
    assert "<a " not in email_html(body)


@given(st.lists(HOSTILE, min_size=1, max_size=4))
def test_what_stands_in_a_list_makes_no_link(items: list[str]) -> None:
    assert "<a " not in email_html(filled("((a))", shown_as_they_are({"a": items})))


@given(HOSTILE)
def test_what_is_read_stays_as_it_was(value: str) -> None:
    shown = shown_as_it_is(value)

    assert shown.replace(MARK, "") == value.replace(MARK, "")


@given(HOSTILE)
def test_a_backslash_does_not_vanish(value: str) -> None:
    """What is read of a text, Markdown's escapes done, is the text: but for the mark."""
    shown = email_html(filled("x((a))x", shown_as_they_are({"a": value})))

    assert shown.count("\\") == value.count("\\")


@pytest.mark.parametrize(
    "value",
    [
        "Amala Bird",
        "O'Neil-Smith",
        "Zoë Müller-Lüdenscheidt",
        "R-1",
        "REP/2026/0042",
        "HAK.REP.1234",
        "£1,234.50",
        "12 November 2026",
        "12/11/2026",
        "12.11.2026",
        "2026-11-12T17:27:47Z",
        "10:30am",
        "+44 7700 900123",
        "07700 900 123",
        "amala.bird@example.co.uk",
        "Write to amala@example.com, or to joe@hackney.gov.uk.",
        "SW14 6BH",
        "Flat 2, 123 High Street",
        "7e6041e2-01b6-4c41-9ccd-5b0932616b50",
        "Mr. A. Bird",
        "50% off",
        "e.g. a tap (kitchen)",
        "The tap drips.\nIt has for a week.",
        "",
    ],
)
def test_ordinary_values_arrive_unchanged(value: str) -> None:
    assert shown_as_it_is(value) == value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("# Pay now", "|# Pay now"),
        ("Hello\n# Pay now", "Hello\n|# Pay now"),
        ("a\r\n  * one", "a\r\n|  * one"),
        ("-5.00", "|-5.00"),
        ("1. one", "|1. one"),
        ("^ inset", "|^ inset"),
        ("a\n---\nb", "a\n|---\nb"),
        ("Pay now\n===", "Pay now\n|==="),
        ("https://evil.link/x", "https|://evil.|link/x"),
        ("see HTTP://evil.link", "see HTTP|://evil.|link"),
        ("https:", "https:|"),
        ("//evil.link", "|//evil.|link"),
        ("www.evil.co.uk", "www.|evil.|co.|uk"),
        ("evil.link@", "evil.|link@"),
        ("evil.link/a@example.com", "evil.|link/a@example.|com"),
        ("evil.link/?a@example.com", "evil.|link/?a@example.|com"),
        ("a@example.com/x", "a@example.|com/x"),
        ("пример.рф", "пример.|рф"),
        ("[click](https://evil.link)", "[click]|(https|://evil.|link)"),
        ("[click] [1]", "[click]| [1]|"),
        ("[1]: //evil.link", "|[1]|: //evil.|link"),
        ("a\\*b", "a\\|*b"),
        ("ends\\", "ends\\|"),
    ],
)
def test_signs_are_kept_from_meaning_anything(value: str, shown: str) -> None:
    assert shown_as_it_is(value) == shown.replace("|", MARK)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (5, 5),
        (True, True),
        (None, None),
        ({"file": "eA==", "filename": "#.txt"}, {"file": "eA==", "filename": "#.txt"}),
        (["# one", 2, None], [f"{MARK}# one", 2, None]),
        (["ht\u200btps://x"], [f"https{MARK}://x"]),
    ],
)
def test_each_kind_of_value(value: object, shown: object) -> None:
    assert shown_as_they_are({"a": value}) == {"a": shown}


@pytest.mark.parametrize("name", ["link", "Survey link", "SURVEY_LINK"])
def test_what_is_trusted_is_let_be(name: str) -> None:
    link = "[Tell us](https://www.hackney.gov.uk/survey)"
    given = {"link": link, "survey-link": link, "other": "# x"}

    shown = shown_as_they_are(given, trusted=(name, "absent"))

    assert [key for key in given if shown[key] == given[key]] == ["link" if name == "link" else "survey-link"]


def test_a_list_is_never_trusted() -> None:
    assert shown_as_they_are({"a": ["# x"]}, trusted=("a",)) == {"a": [f"{MARK}# x"]}


def test_a_subject_reads_as_before() -> None:
    subject = placeholders.fill(
        "About ((a))", shown_as_they_are({"a": "#12 \\o/ [x](y)"}), style=placeholders.Style.SUBJECT
    )

    assert subject.replace(MARK, "") == "About #12 \\o/ [x](y)"


@pytest.mark.parametrize(
    ("value", "has"),
    [
        ("see https://a.uk", True),
        ("WWW.a.uk", True),
        (["x", "http://a"], True),
        ("hackney.gov.uk", False),
        ("amala@www.uk", True),
        (5, False),
        (None, False),
    ],
)
def test_sees_a_web_address(value: object, has: bool) -> None:
    assert has_web_address(value) is has


@pytest.mark.parametrize(
    "unit",
    [*REPEATED, "http:", "a@a.", "[]:", "x\n#", "@a.a", "-"],
)
def test_the_largest_value_takes_no_time(unit: str) -> None:
    value = unit * (512 * 1024 // len(unit))
    started = time.process_time()

    shown_as_it_is(value + "!")

    assert time.process_time() - started < 5


def test_the_mark_is_no_blank_to_the_rules() -> None:
    assert (re.match(r"\s", MARK), MARK.strip(), " ".join(MARK.split())) == (None, MARK, MARK)


@settings(max_examples=500)
@given(st.text(st.sampled_from("aB1 \t\n\r\x85.,:/\\[]()#*•^_=`~-@hHtTpPsSwW<é"), max_size=30))
def test_the_first_look_passes_nothing_over(text: str) -> None:
    marked = plain_values._TO_MARK.sub(lambda found: found[0] or MARK, text)
    assert shown_as_it_is(text) == marked
