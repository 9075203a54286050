"""What is measured: Postroom's API as `postroom api` runs it, its service registered, its worker off.

ours.py DATABASE_URL READY_FILE NOTIFY_URL NOTIFY_KEY
"""

import sys
from pathlib import Path

import msgspec

from postroom.app import running_app
from postroom.features.limits import FAR_ABOVE
from postroom.features.services import Registration, register_again
from postroom.kit import log as logs
from postroom.kit.crypto import new_secret
from postroom.run import listen, run_async, run_doors, told_to_stop
from postroom.settings import read_settings

SERVICE = "bench"


async def main(url: str, ready: Path, notify_url: str, notify_key: str) -> None:
    environment = {"DATABASE_URL": url, "POSTROOM_SECRET": new_secret(), "OFFICER_TOKEN_SECRET": new_secret()}
    settings = read_settings(environment, port=0)
    logs.configure(level=settings.log_level)
    listener = listen(settings.host, 0)
    registration = Registration(
        name=SERVICE, notify_key=notify_key, notify_base_url=notify_url, limits=FAR_ABOVE
    )
    async with told_to_stop() as stop, running_app(settings) as app:
        async with app.database.transaction() as conn:
            key = await register_again(
                conn, registration, vault=app.vault, receipt_token=new_secret(), now=app.clock()
            )
        said = {"port": listener.getsockname()[1], "service": SERVICE, "apiKey": key.key}

        def started() -> None:
            ready.write_bytes(msgspec.json.encode(said))

        await run_doors(app, listener=listener, worker=False, stop=stop, started=started)


if __name__ == "__main__":
    given_url, given_ready, given_notify_url, given_notify_key = sys.argv[1:]
    run_async(main(given_url, Path(given_ready), given_notify_url, given_notify_key))
