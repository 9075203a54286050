"""Notify's Markdown, made into the HTML of an email: headings, lists, inset text, rules and links."""

import html
import re
from collections.abc import Iterator

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
_BULLET = re.compile(r"^\s*(?:\*|-|•)\s+(.*)$")
_NUMBER = re.compile(r"^\s*\d+\.\s+(.*)$")
_HASH = re.compile(r"^#{1,2}\s*(.+)$")


def email_html(body: str) -> str:
    return "".join(_block(lines) for lines in _blocks(body))


def _blocks(body: str) -> Iterator[list[str]]:
    """Runs of lines that belong together."""
    block: list[str] = []
    for line in body.splitlines():
        kind = _kind(line)
        if block and (kind != _kind(block[-1]) or kind in ("heading", "rule")):
            yield block
            block = []
        if kind != "blank":
            block.append(line)
    if block:
        yield block


def _kind(line: str) -> str:
    if not line.strip():
        return "blank"
    if _HASH.match(line):
        return "heading"
    if re.fullmatch(r"\s*(-{3,}|\*{3,})\s*", line):
        return "rule"
    if line.startswith("^"):
        return "inset"
    if _BULLET.match(line):
        return "bullets"
    return "numbers" if _NUMBER.match(line) else "text"


def _block(lines: list[str]) -> str:
    match _kind(lines[0]):
        case "heading":
            found = _HASH.match(lines[0])
            return f"{_HEADING}{_inline(found[1] if found else '')}</h2>"
        case "rule":
            return _RULE
        case "inset":
            return f"{_INSET}{_PARAGRAPH}{_lines(line[1:].strip() for line in lines)}</p></blockquote>"
        case "bullets":
            return _list("ul", "disc", [m[1] for m in map(_BULLET.match, lines) if m])
        case "numbers":
            return _list("ol", "decimal", [m[1] for m in map(_NUMBER.match, lines) if m])
    return f"{_PARAGRAPH}{_lines(iter(lines))}</p>"


def _list(tag: str, style: str, items: list[str]) -> str:
    written = "".join(f"{_ITEM}{_inline(item)}</li>" for item in items)
    return (
        '<table role="presentation" style="padding: 0 0 20px;"><tr>'
        '<td style="font-family: Helvetica, Arial, sans-serif;">'
        f'<{tag} {_LIST} list-style-type: {style};">{written}</{tag}></td></tr></table>'
    )


def _lines(lines: Iterator[str]) -> str:
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
    """As text: a backslash before a sign of Markdown has done its work and goes."""
    return html.escape(re.sub(r"\\([\\`*_{}\[\]()<>#+\-.!|])", r"\1", text), quote=False)
