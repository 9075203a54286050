"""Notify's Markdown, made into the HTML of an email: headings, lists, inset text, rules and links."""

import html
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_FONT = "font-size: 19px; line-height: 25px; color: #0B0C0C;"
_PARAGRAPH = f'<p style="Margin: 0 0 20px 0; {_FONT}">'
_HEADING = (
    '<h2 style="Margin: 0 0 20px 0; padding: 0; font-size: 27px; line-height: 35px; '
    'font-weight: bold; color: #0B0C0C;">'
)
_INSET = (
    '<blockquote style="Margin: 0 0 20px 0; border-left: 10px solid #B1B4B6; padding: 15px 0 0.1px 15px; '
    f'{_FONT}">'
)
_RULE = '<hr style="border: 0; height: 1px; background: #B1B4B6; Margin: 30px 0 30px 0;">'
_LIST = 'style="Margin: 0 0 0 20px; padding: 0 0 20px 0;'
_ITEM = f'<li style="Margin: 5px 0 5px; padding: 0 0 0 5px; {_FONT}">'
_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^\s)]+)\)|(https?://[^\s<>]+[^\s<>.,;:!?)])")
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()<>#+\-.!|])")
_KINDS = {
    "heading": re.compile(r"#{1,2}\s*\S"),
    "rule": re.compile(r"\s*(-{3,}|\*{3,})\s*$"),
    "bullets": re.compile(r"\s*[*•-]\s+\S"),
    "numbers": re.compile(r"\s*\d+\.\s+\S"),
}
_SIGNS = {
    "heading": re.compile(r"^#{1,2}\s*"),
    "bullets": re.compile(r"^\s*[*•-]\s+"),
    "numbers": re.compile(r"^\s*\d+\.\s+"),
    "inset": re.compile(r"^\^\s*"),
}


class Block(NamedTuple):
    kind: str
    lines: list[str]
    """Without the signs that say what they are."""


def email_html(body: str) -> str:
    return "".join(map(_html, blocks(body)))


def plain(text: str) -> str:
    """As it is read: a backslash before a sign of Markdown has done its work and goes."""
    return _ESCAPED.sub(r"\1", text)


def blocks(body: str) -> Iterator[Block]:
    """Runs of lines that belong together."""
    run: list[str] = []
    for line in body.splitlines():
        kind = _kind(line)
        if run and (kind != _kind(run[-1]) or kind in ("heading", "rule")):
            yield _block(run)
            run = []
        if kind != "blank":
            run.append(line)
    if run:
        yield _block(run)


def _block(run: list[str]) -> Block:
    kind = _kind(run[0])
    return Block(kind, [_SIGNS[kind].sub("", line) if kind in _SIGNS else line for line in run])


def _kind(line: str) -> str:
    if not line.strip():
        return "blank"
    if line.startswith("^"):
        return "inset"
    return next((kind for kind, sign in _KINDS.items() if sign.match(line)), "text")


def _html(block: Block) -> str:
    match block.kind:
        case "heading":
            return f"{_HEADING}{_inline(block.lines[0])}</h2>"
        case "rule" | "page-break":
            return _RULE
        case "inset":
            return f"{_INSET}{_PARAGRAPH}{_lines(block.lines)}</p></blockquote>"
        case "bullets":
            return _list("ul", "disc", block.lines)
        case "numbers":
            return _list("ol", "decimal", block.lines)
    return f"{_PARAGRAPH}{_lines(block.lines)}</p>"


def _list(tag: str, style: str, items: list[str]) -> str:
    written = "".join(f"{_ITEM}{_inline(item)}</li>" for item in items)
    return (
        '<table role="presentation" style="padding: 0 0 20px;"><tr>'
        '<td style="font-family: Helvetica, Arial, sans-serif;">'
        f'<{tag} {_LIST} list-style-type: {style};">{written}</{tag}></td></tr></table>'
    )


def _lines(lines: Iterable[str]) -> str:
    return "<br />".join(_inline(line) for line in lines)


def _inline(text: str) -> str:
    """Escaped, with links made of what looks like one."""
    written, at = [], 0
    for match in _LINK.finditer(text):
        written.append(_escaped(text[at : match.start()]))
        address = match[2] or match[3]
        label = _escaped(match[1] or address)
        style = 'style="word-wrap: break-word; color: #1D70B8;"'
        written.append(f'<a {style} href="{html.escape(address)}">{label}</a>')
        at = match.end()
    written.append(_escaped(text[at:]))
    return "".join(written)


def _escaped(text: str) -> str:
    return html.escape(plain(text), quote=False)
