"""The example in the guide verifies what Postroom signs."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from postroom.features.webhooks.signing import new_webhook_secret, signed_headers

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "receive-webhooks.md"
BODY = b'{"type": "delivered", "data": {"notificationId": "n-1"}}'


def test_the_example_of_the_guide_receives_a_call() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(example, names)
    secret = new_webhook_secret()
    headers = signed_headers([secret], event_id="e-1", at=datetime.now(UTC), body=BODY)

    assert names["receive"](secret, headers, BODY) == "delivered: n-1"
    with pytest.raises(WebhookVerificationError):
        names["receive"](new_webhook_secret(), headers, BODY)
