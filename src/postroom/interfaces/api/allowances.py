"""What a caller is told of its limit, in the headers of draft-ietf-httpapi-ratelimit-headers-06.

That draft is the last one that has a field for each number; clients and gateways know these best.
"""

from typing import Any

from postroom.domain.allowance import Allowance

_KEY = "allowance"


def keep_allowance(scope: Any, allowance: Allowance) -> None:
    """Keep it with the request until it is answered."""
    scope[_KEY] = allowance


def allowance_headers(scope: Any) -> dict[str, str]:
    """What the answer to this request tells its caller; nothing where the caller has no limit."""
    allowance = scope.get(_KEY)
    return {} if allowance is None else to_headers(allowance)


def to_headers(allowance: Allowance) -> dict[str, str]:
    return {
        "ratelimit-limit": str(allowance.a_minute),
        "ratelimit-remaining": str(allowance.remaining),
        "ratelimit-reset": str(allowance.reset_seconds),
        "ratelimit-policy": f"{allowance.a_minute};w=60",
    }
