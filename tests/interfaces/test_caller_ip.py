"""Where a caller is: the other end of the connection, or whom the gateway says it called for."""

from typing import Any

import pytest

from postroom.interfaces.edge import caller_ip_of

PEER = ("192.0.2.1", 4711)
FORGED = [b"203.0.113.66, 198.51.100.7"]


@pytest.mark.parametrize(
    ("client", "forwarded", "behind_gateway", "ip"),
    [
        (PEER, [], False, "192.0.2.1"),
        (PEER, FORGED, False, "192.0.2.1"),
        (PEER, FORGED, True, "198.51.100.7"),
        (PEER, [b"203.0.113.66", b"198.51.100.8"], True, "198.51.100.8"),
        (PEER, [b"2001:db8::1"], True, "2001:db8::1"),
        (PEER, [], True, None),
        (PEER, [b"<script>"], True, None),
        (("::1", 4711), [], False, "::1"),
        (("/run/postroom.sock", None), [], False, None),
        (None, [], False, None),
    ],
)
def test_the_address_of_a_caller(
    client: Any, forwarded: list[bytes], behind_gateway: bool, ip: str | None
) -> None:
    headers = [(b"x-forwarded-for", value) for value in forwarded]
    scope: Any = {"type": "http", "client": client, "headers": headers}

    assert caller_ip_of(scope, behind_gateway=behind_gateway) == ip
