"""The token that each call to Notify carries: made from the service's key, reused for 20 seconds."""

from joserfc import jwt
from joserfc.jwk import OctKey

_REUSED_FOR_SECONDS = 20


class TokenMaker:
    """Tokens for one key. `now` is in seconds since 1970."""

    def __init__(self, key: str) -> None:
        self._issuer = key[-73:-37]
        self._secret = OctKey.import_key(key[-36:])
        self._token = ""
        self._issued_at = 0

    def token(self, *, now: float) -> str:
        if not self._token or not 0 <= now - self._issued_at < _REUSED_FOR_SECONDS:
            self._issued_at = int(now)
            self._token = jwt.encode(
                {"typ": "JWT", "alg": "HS256"}, {"iss": self._issuer, "iat": self._issued_at}, self._secret
            )
        return self._token
