"""Values from outside, made so that an email shows them as they are: no link, heading or list comes of one.

GOV.UK Notify reads Markdown in an email after the values are filled in. An invisible character between the
signs that would mean something keeps them from meaning it, and is seen neither in the body nor in a subject,
where a backslash would be. See docs/decisions/0015-values-are-shown-as-they-are.md.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

from notify_rules.placeholders import normalise_name
from notify_rules.whitespace import strip_obscure

MARK = "\u200e"
"""The left-to-right mark: no blank to anybody's rules, and none of those that Notify drops from a list."""

_BREAKS = r"\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029"
_BLANKS = rf"[^\S{_BREAKS}]*"
_LINE = rf"(?<![^{_BREAKS}])"
_LETTERS = r"[^\W\d_]{2,}"

_PARTS = (
    # An email address stays whole, so that nothing is put into its host.
    r"(?<![^\s(<\[,;:\"])[\w.+'-]+@[\w-]+(?:\.[\w-]+)+(?![\w/:@-])",
    # A line that would be a heading, a list, a rule, inset text, or the target of a link.
    rf"{_LINE}(?={_BLANKS}(?:[#*•^-]|\d+\.(?!\d)|`{{3}}|~{{3}}|_{_BLANKS}_|=+{_BLANKS}(?:[{_BREAKS}]|\Z)"
    rf"|\[[^\]{_BREAKS}]*\]:))",
    # An address of the web, whole or shared out among values that stand beside one another.
    r"(?=://)|\A(?=//)|(?:(?<=http:)|(?<=https:))(?=/?\Z)",
    # The name of a host, of which a mail program makes a link by itself. The numbers bound the work.
    rf"(?<=\w\.)(?=(?:[\w-]{{1,63}}\.){{0,8}}(?:{_LETTERS}|xn--[\w-]+)(?![\w-]|\.\w))",
    # [label](address), [label][name] and [name]: address, of which the end may be another value.
    r"(?<=\])(?=\s*(?:[(\[:]|\Z))",
    # A backslash that would vanish before a sign.
    r"(?<=\\)(?=[^\sA-Za-z0-9]|\Z)",
)
_TO_MARK = re.compile("|".join(_PARTS), re.IGNORECASE)
# What every text that is to be marked holds, found at a fraction of the cost: most values have none of it.
_MAY_MEAN_MORE = re.compile(rf"[:/\[\]\\]|\w\.\w|{_LINE}{_BLANKS}[#*•^\d`~_=-]")
_WEB_ADDRESS = re.compile(r"https?://|\bwww\.", re.IGNORECASE)


def shown_as_they_are(values: Mapping[str, Any], *, trusted: Collection[str] = ()) -> Mapping[str, Any]:
    """The values, each harmless, but for those that are `trusted` to hold links and Markdown.

    A list stays a list; what stands in it is harmless. Numbers and files are what they are.
    """
    allowed = {normalise_name(name) for name in trusted}
    return {
        name: value
        if isinstance(value, str) and allowed and normalise_name(name) in allowed
        else _harmless(value)
        for name, value in values.items()
    }


def shown_as_it_is(text: str) -> str:
    """The text, which reads as before, without a sign that means anything to Notify's Markdown."""
    if _MAY_MEAN_MORE.search(text) is None:
        return text
    return _TO_MARK.sub(lambda found: found[0] or MARK, text)


def has_web_address(value: Any) -> bool:
    """Whether a reader may expect a link here."""
    if isinstance(value, str):
        return ("/" in value or "." in value) and _WEB_ADDRESS.search(value) is not None
    return isinstance(value, list) and any(has_web_address(item) for item in value)


def _harmless(value: Any) -> Any:
    if isinstance(value, str):
        return shown_as_it_is(value)
    if isinstance(value, list):
        # Notify drops invisible characters from what stands in a list: a sign must not come together by that.
        return [shown_as_it_is(strip_obscure(item)) if isinstance(item, str) else item for item in value]
    return value
