"""SQLAlchemy's asynchronous package is whole for who asks for more of it than is used here."""

import subprocess
import sys

import pytest

ORM = "sqlalchemy.orm"
THREADS = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(8) as pool:
    AsyncSession = set(pool.map(lambda _: sqlalchemy.ext.asyncio.AsyncSession, range(8))).pop()
"""


@pytest.mark.parametrize(
    "ask",
    [
        "from sqlalchemy.ext.asyncio import AsyncSession",
        "from sqlalchemy.ext.asyncio import *",
        "import sqlalchemy.ext.asyncio; AsyncSession = sqlalchemy.ext.asyncio.AsyncSession",
        f"import sqlalchemy.ext.asyncio\n{THREADS}",
    ],
    ids=["from", "star", "attribute", "threads"],
)
def test_who_asks_for_the_rest_gets_it(ask: str) -> None:
    lines = [
        "import sys",
        "from postroom.kit.database import AsyncConnection as ours",
        f"print({ORM!r} in sys.modules)",
        ask,
        "from sqlalchemy.ext.asyncio import AsyncConnection",
        f"print({ORM!r} in sys.modules, AsyncSession.__name__, AsyncConnection is ours)",
    ]
    command = [sys.executable, "-c", "\n".join(lines)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    assert done.stdout == "False\nTrue AsyncSession True\n"
