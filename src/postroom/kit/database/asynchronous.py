"""SQLAlchemy's asynchronous connections, without the ORM that its package for them imports along.

Nothing here uses the ORM, and it is five megabytes of every process (docs/decisions/0027). So that package is
left empty until anything of it is asked for that is not imported here; then it fills itself as ever.
"""

import sys
from importlib.util import find_spec, module_from_spec
from typing import Any

_PACKAGE = "sqlalchemy.ext.asyncio"


def _leave_empty() -> None:
    spec = find_spec(_PACKAGE)
    if _PACKAGE in sys.modules or spec is None:
        return
    package = module_from_spec(spec)

    def fill(name: str) -> Any:
        is_module = find_spec(f"{_PACKAGE}.{name}") is not None
        if name.startswith("__") or is_module or spec.loader is None:
            raise AttributeError(name)
        del package.__getattr__
        spec.loader.exec_module(package)
        return getattr(package, name)

    package.__getattr__ = fill  # type: ignore[method-assign]
    sys.modules[_PACKAGE] = package


_leave_empty()

from sqlalchemy.ext.asyncio.engine import AsyncConnection, AsyncEngine, create_async_engine  # noqa: E402

__all__ = ["AsyncConnection", "AsyncEngine", "create_async_engine"]
