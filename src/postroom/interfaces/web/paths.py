"""Where the pages are. No first part of a path is one of the API's."""

import re
from urllib.parse import urlencode

INBOX = "/inbox"
REGISTER = "/register"
DEVELOPER = "/developer"
SIGN_IN = "/sign-in"
SIGN_OUT = "/sign-out"
ASSETS = "/pages"
DEMO = "/demo"

FIRST_PARTS = frozenset(
    path.strip("/") for path in (INBOX, REGISTER, DEVELOPER, SIGN_IN, SIGN_OUT, ASSETS, DEMO)
)

_LEADS_BACK = re.compile(rf"(?:{INBOX}|{REGISTER}|{DEVELOPER})(?:[/?][!-~]*)?", re.ASCII)
_LONGEST = 1_000


def is_of_pages(path: str) -> bool:
    """Whether a path, without the prefix, is one of a page."""
    return path[1:].partition("/")[0] in FIRST_PARTS


def leads_back(path: str | None) -> str:
    """The page of ours that somebody wanted before they signed in. Whatever is none of ours is the inbox."""
    if path is None or len(path) > _LONGEST or not _LEADS_BACK.fullmatch(path) or "\\" in path:
        return INBOX
    return path


def with_query(path: str, **values: str | None) -> str:
    """The path with those values that there are."""
    given = {name: value for name, value in values.items() if value}
    return f"{path}?{urlencode(given)}" if given else path
