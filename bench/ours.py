"""What is measured: Postroom's doors as `postroom api`, `worker` and `serve` run them.

ours.py READY_FILE DOORS, where DOORS is api, worker or api+worker; the settings come from the environment.
"""

import sys
import time
from pathlib import Path

from bench.ready import say_ready
from postroom.app import running_app
from postroom.kit import log as logs
from postroom.run import listen, run_async, run_doors, told_to_stop
from postroom.settings import read_settings


async def main(ready: Path, doors: str) -> None:
    settings = read_settings(port=0)
    logs.configure(level=settings.log_level)
    listener = listen(settings.host, 0) if "api" in doors else None

    def started() -> None:
        port = None if listener is None else listener.getsockname()[1]
        say_ready(ready, port=port, cpu_seconds=time.process_time())

    async with told_to_stop() as stop, running_app(settings) as app:
        await run_doors(app, listener=listener, worker="worker" in doors, stop=stop, started=started)


if __name__ == "__main__":
    run_async(main(Path(sys.argv[1]), sys.argv[2]))
