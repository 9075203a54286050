"""`<notification-bell>` for the pages of others: one script, by a version that is a digest of it.

It stands here as modules, so that each can be read alone; what is served is all of them in one script, which
a page can hold to one integrity hash.
"""

import gzip
import hashlib
import json
import re
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from postroom.domain import target_type

MODULES = ("words", "calls", "stream", "inbox", "parts", "popups", "toasts", "panel", "one", "element")
"""In this order: each uses those before it alone."""

_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:class|function\*?|const|let) (\w+))", re.MULTILINE)
_COMMENT = re.compile(r"^ *(?://.*|/\*\*(?:.|\n)*?\*/)\n", re.MULTILINE)
_STYLE_COMMENT = re.compile(r"/\*.*?\*/\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Script:
    """The bell as it is served. `version` names this very content."""

    content: bytes
    packed: bytes
    version: str
    integrity: str

    @property
    def path(self) -> str:
        return f"/bell/{self.version}/bell.js"


@cache
def script() -> Script:
    folder = files("postroom.interfaces.bell")
    style = _STYLE_COMMENT.sub("", (folder / "bell.css").read_text())
    given = {"CSS_TEXT": style, "KINDS": target_type.KNOWN}
    lines = ['/* <notification-bell> of Postroom, MIT */\n(() => {\n"use strict";']
    lines += [f"const {name} = {json.dumps(value, ensure_ascii=False)};" for name, value in given.items()]
    lines += [_part(name, (folder / f"{name}.js").read_text()) for name in MODULES]
    content = "\n".join([*lines, "})();\n"]).encode()
    digest = hashlib.sha384(content).digest()
    return Script(
        content=content,
        packed=gzip.compress(content, mtime=0),
        version=digest.hex()[:16],
        integrity=f"sha384-{b64encode(digest).decode()}",
    )


def _part(name: str, text: str) -> str:
    """A module as a part of the script: what it exports is what it returns."""
    exported = ", ".join(found[1] for found in _EXPORT.finditer(text))
    text = _EXPORT.sub("", _IMPORT.sub(r"const \1 = in_\2;", _COMMENT.sub("", text)))
    return f"const in_{name} = (() => {{\n{text.strip()}\nreturn {{ {exported} }};\n}})();"
