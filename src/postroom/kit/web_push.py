"""Web Push: a message that only one browser can read (RFC 8291), and who sends it (VAPID, RFC 8292)."""

import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey

AUTH_BYTES = 16
POINT_BYTES = 65
LARGEST = 3_072
"""Of a message before it is sealed. A push service takes 4,096 bytes with all that comes around it."""

_BASE64URL = re.compile(r"[A-Za-z0-9_-]*={0,2}")
_CURVE = ec.SECP256R1()
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
SEED_BYTES = 48
"""16 more than the order has, so that each key is as likely as any other (FIPS 186-5, A.2.1)."""
_SALT_BYTES = 16
_RECORD_SIZE = 4096
_LAST_RECORD = b"\x02"
_PADDED_TO = 256
_LASTS = timedelta(hours=12)
_SAME_FOR = timedelta(hours=1)


class Sender:
    """One deployment as push services know it, by its key pair. `seed` always makes the same one."""

    def __init__(self, seed: bytes, *, subject: str) -> None:
        if len(seed) != SEED_BYTES:
            raise ValueError(f"the seed must have {SEED_BYTES} bytes")
        number = int.from_bytes(seed, "big") % (_ORDER - 1) + 1
        self._key = ec.derive_private_key(number, _CURVE)
        self._subject = subject
        self._jwk = ECKey.import_key(self._key)
        self._tokens: dict[str, tuple[datetime, str]] = {}
        self.public_key = to_text(_point(self._key.public_key()))

    def authorization(self, endpoint: str, *, now: datetime) -> str:
        """The header that says who sends, for the push service of that address; the same for an hour."""
        parts = urlsplit(endpoint)
        audience = f"{parts.scheme}://{parts.netloc}"
        until, header = self._tokens.get(audience, (now, ""))
        if until <= now:
            claims: dict[str, object] = {"aud": audience, "exp": int((now + _LASTS).timestamp())}
            if self._subject:
                claims["sub"] = self._subject
            token = jwt.encode({"typ": "JWT", "alg": "ES256"}, claims, self._jwk)
            header = f"vapid t={token}, k={self.public_key}"
            # Those of services that nobody is sent by any more go with the rest.
            self._tokens = {name: kept for name, kept in self._tokens.items() if kept[0] > now}
            self._tokens[audience] = now + _SAME_FOR, header
        return header


def seal_for(
    message: bytes,
    *,
    p256dh: bytes,
    auth: bytes,
    private_key: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
    padded_to: int = _PADDED_TO,
) -> bytes:
    """The message as one record of aes128gcm for the browser with that public key and that secret.

    It is filled up to a multiple of so many bytes: its length says little. The private key and the salt are
    new for each message, and are given only to compare with what is known.
    """
    ours = private_key or ec.generate_private_key(_CURVE)
    salt = salt or os.urandom(_SALT_BYTES)
    our_point = _point(ours.public_key())
    shared = ours.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, p256dh))
    secret = _derive(shared, salt=auth, info=b"WebPush: info\0" + p256dh + our_point, length=32)
    key = _derive(secret, salt=salt, info=b"Content-Encoding: aes128gcm\0", length=16)
    nonce = _derive(secret, salt=salt, info=b"Content-Encoding: nonce\0", length=12)
    header = salt + _RECORD_SIZE.to_bytes(4, "big") + bytes([len(our_point)]) + our_point
    filled = message + _LAST_RECORD
    filled += bytes(-len(filled) % padded_to)
    return header + AESGCM(key).encrypt(nonce, filled, None)


def is_point(encoded: bytes) -> bool:
    """Whether these bytes are an uncompressed point of the curve P-256, as a browser's public key is."""
    if len(encoded) != POINT_BYTES:
        return False
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, encoded)
    except ValueError:
        return False
    return True


def to_text(value: bytes) -> str:
    """As base64url without padding."""
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def from_text(text: str) -> bytes:
    """The bytes of base64url, with padding or without; ValueError for anything else."""
    bare = text.rstrip("=")
    if not _BASE64URL.fullmatch(text) or len(bare) % 4 == 1:
        raise ValueError("this is no base64url")
    return urlsafe_b64decode(bare + "=" * (-len(bare) % 4))


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derive(secret: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)
