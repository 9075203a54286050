"""The tokens that calls to Notify carry: made from the service's key, and used again for a while."""

from math import ceil

from joserfc import jwt
from joserfc.jwk import OctKey

_REUSED_FOR_SECONDS = 20
_TAKEN_FOR_SECONDS = 30
"""Notify refuses a token that was issued longer ago. It counts in whole seconds."""
_KEPT = 16


class TokenMaker:
    """Tokens for one key. `now` is in seconds since 1970."""

    def __init__(self, key: str) -> None:
        self._issuer = key[-73:-37]
        self._secret = OctKey.import_key(key[-36:])
        self._token = ""
        self._issued_at = 0
        self._lapsing: dict[int, str] = {}

    def token(self, *, now: float) -> str:
        if not self._token or not 0 <= now - self._issued_at < _REUSED_FOR_SECONDS:
            self._issued_at = int(now)
            self._token = self._issue(self._issued_at)
        return self._token

    def lapsing(self, *, at: float, now: float) -> str:
        """A token that Notify refuses once it is later than `at`, to the second, by its own clock."""
        issued_at = min(ceil(at) - _TAKEN_FOR_SECONDS, int(now))
        if issued_at not in self._lapsing:
            if len(self._lapsing) >= _KEPT:
                self._lapsing.clear()
            self._lapsing[issued_at] = self._issue(issued_at)
        return self._lapsing[issued_at]

    def _issue(self, issued_at: int) -> str:
        return jwt.encode(
            {"typ": "JWT", "alg": "HS256"}, {"iss": self._issuer, "iat": issued_at}, self._secret
        )
