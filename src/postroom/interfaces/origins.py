"""What a page of another origin may do here: the front ends that the configuration names, and no others.

A page sends its token in a header of its own, and cookies play no part: credentials are never allowed.
"""

import re
from collections.abc import Sequence

ANY = "*"

Headers = tuple[tuple[bytes, bytes], ...]

_MAY: Headers = (
    (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE"),
    (
        b"access-control-allow-headers",
        b"Authorization, x-api-key, x-correlation-id, If-Match, If-None-Match, Idempotency-Key, "
        b"Last-Event-ID, Content-Type",
    ),
    (b"access-control-max-age", b"7200"),
)
_EXPOSE = (
    b"access-control-expose-headers",
    b"ETag, x-correlation-id, Link, Location, Retry-After, RateLimit-Limit, RateLimit-Remaining, "
    b"RateLimit-Reset, RateLimit-Policy, Idempotent-Replay",
)


class Origins:
    """The origins that are let in, and the headers that say so. `*` is any; `:*` at the end is every port."""

    def __init__(self, allowed: Sequence[str]) -> None:
        self._any = ANY in allowed
        self._allowed = re.compile("|".join(map(_pattern, allowed)).encode()) if allowed else None
        # Whether it was asked by another origin or not, an answer that is kept must not serve for both.
        self._varies: Headers = ((b"vary", b"Origin"),) if allowed and not self._any else ()

    def answer_headers(self, origin: bytes | None) -> Headers:
        """What an answer carries for who asks, errors too."""
        if origin is None or not self._lets_in(origin):
            return self._varies
        return (*self._allow(origin), _EXPOSE, *self._varies)

    def preflight_headers(self, origin: bytes) -> Headers:
        """What a browser is told that asks before it sends a page's request: nothing where it may not."""
        if not self._lets_in(origin):
            return self._varies
        return (*self._allow(origin), *_MAY, *self._varies)

    def _lets_in(self, origin: bytes) -> bool:
        return self._any or (self._allowed is not None and self._allowed.fullmatch(origin) is not None)

    def _allow(self, origin: bytes) -> Headers:
        return ((b"access-control-allow-origin", ANY.encode() if self._any else origin),)


def _pattern(allowed: str) -> str:
    if allowed.endswith(":*"):
        return re.escape(allowed.removesuffix(":*")) + "(:[0-9]{1,5})?"
    return re.escape(allowed)
