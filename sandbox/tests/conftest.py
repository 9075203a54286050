"""A sandbox and a callback that tests can look into, both real servers in the test's own loop."""

from collections.abc import AsyncIterator

import pytest

from notify_sandbox.catching import CallbackServer, callback_server
from notify_sandbox.testing import SandboxUnderTest, running_sandbox


@pytest.fixture
async def callback() -> AsyncIterator[CallbackServer]:
    async with callback_server() as server:
        yield server


@pytest.fixture
async def sandbox(callback: CallbackServer) -> AsyncIterator[SandboxUnderTest]:
    async with running_sandbox(callback_url=callback.url, callback_token="a-token") as running:
        yield running
