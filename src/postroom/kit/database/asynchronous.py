"""SQLAlchemy's asynchronous connections, without the ORM that its package for them imports along.

Nothing here uses the ORM, and it is five megabytes of every process (docs/decisions/0027). So that package is
left empty until anything of it is asked for that is not imported here; then it fills itself as ever.
"""

import sys
from importlib.util import find_spec, module_from_spec
from threading import RLock
from typing import Any

import sqlalchemy.ext

_PACKAGE = "sqlalchemy.ext.asyncio"


def _leave_empty() -> None:
    spec = find_spec(_PACKAGE)
    if _PACKAGE in sys.modules or spec is None:
        return
    package = module_from_spec(spec)
    filling = RLock()

    def fill(name: str) -> Any:
        if (name.startswith("__") and name != "__all__") or find_spec(f"{_PACKAGE}.{name}") is not None:
            raise AttributeError(name)
        with filling:
            if "__getattr__" in vars(package) and spec.loader is not None:
                spec.loader.exec_module(package)
                del package.__getattr__
        return getattr(package, name)

    package.__getattr__ = fill  # type: ignore[method-assign]
    sys.modules[_PACKAGE] = package
    sqlalchemy.ext.asyncio = package


_leave_empty()

from sqlalchemy.ext.asyncio.engine import AsyncConnection, AsyncEngine, create_async_engine  # noqa: E402

__all__ = ["AsyncConnection", "AsyncEngine", "create_async_engine"]
