"""API keys that say what they are: every secret made here begins with the same mark."""

import re
import uuid

MARK = "5a4db0c5"
_KEY = re.compile(
    r"^.+-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-" + MARK + r"(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
)


class UnmarkedKeyError(ValueError):
    """A secret without the mark: perhaps one that works at the real GOV.UK Notify, so it is not taken in."""


def new_secret() -> str:
    return _marked(uuid.uuid4())


def secret_from(seed: str) -> str:
    """The same secret for the same seed, so that a restart keeps it."""
    return _marked(uuid.uuid5(uuid.NAMESPACE_URL, f"notify-sandbox:{seed}"))


def written_out(*, name: str, service_id: str, secret: str) -> str:
    """A key in the form in which clients are given it."""
    return f"{name}-{service_id}-{secret}"


def is_sandbox_key(key: str) -> bool:
    """Whether a key was made by a sandbox. The real GOV.UK Notify answers such a key with 403."""
    return _KEY.match(key.strip()) is not None


def check_secret(secret: str) -> str:
    if not secret.startswith(MARK + "-"):
        raise UnmarkedKeyError(f"a sandbox key's secret begins with {MARK}-; this one does not")
    return secret


def _marked(drawn: uuid.UUID) -> str:
    return MARK + str(drawn)[8:]
