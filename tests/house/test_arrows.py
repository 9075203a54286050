"""The contracts of `.importlinter` hold: each is tried on a small house that is built wrongly."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = (
    "notify_rules",
    "notify_sandbox",
    "postroom_client",
    "postroom",
    "postroom/cli",
    "postroom/interfaces",
    "postroom/features",
    "postroom/features/inbox",
    "postroom/features/notifications",
    "postroom/features/webhooks",
    "postroom/features/templates",
    "postroom/channels",
    "postroom/domain",
    "postroom/kit",
)
SOUND = {
    "postroom/cli/commands.py": "import notify_sandbox, postroom.demo",
    "postroom/demo.py": "import notify_sandbox, postroom.run",
    "postroom/run.py": "import notify_sandbox, postroom.interfaces.api",
    "postroom/interfaces/api.py": "import postroom.app, notify_rules",
    "postroom/interfaces/worker.py": "import postroom.features.inbox",
    "postroom/app.py": "import postroom.channels.email, postroom.kit",
    "postroom/features/inbox/show.py": "import postroom.features.notifications, postroom.domain",
    "postroom/channels/email.py": "import notify_rules, postroom.domain",
}
FLOORS = "Each floor of Postroom rests on those below it"
DOORS = "The doors do not know one another"
FEATURES = "Among features, the higher use the lower"
RULES = "The rules of Notify import nobody"
SANDBOX = "The sandbox does not know Postroom"
CLIENT = "The client knows Postroom by its API alone"
SERVER = "Nothing that runs needs the client"
GUEST = "Only the command line and the composition of processes know the sandbox"
BROKEN = {
    "domain-knows-kit": ("postroom/domain/a.py", "import postroom.kit", FLOORS),
    "kit-knows-domain": ("postroom/kit/a.py", "import postroom.domain", FLOORS),
    "channel-knows-feature": ("postroom/channels/a.py", "import postroom.features.inbox", FLOORS),
    "feature-knows-door": ("postroom/features/inbox/a.py", "import postroom.interfaces.api", FLOORS),
    "room-without-a-floor": ("postroom/attic.py", "", FLOORS),
    "door-knows-door": ("postroom/interfaces/web.py", "import postroom.interfaces.api", DOORS),
    "lower-feature-knows-higher": (
        "postroom/features/notifications/a.py",
        "import postroom.features.inbox",
        FEATURES,
    ),
    "feature-knows-its-neighbour": (
        "postroom/features/webhooks/a.py",
        "import postroom.features.templates",
        FEATURES,
    ),
    "rules-know-postroom": ("notify_rules/a.py", "import postroom.domain", RULES),
    "sandbox-knows-postroom": ("notify_sandbox/a.py", "import postroom.domain", SANDBOX),
    "client-knows-postroom": ("postroom_client/a.py", "import postroom.domain", CLIENT),
    "client-knows-sandbox": ("postroom_client/a.py", "import notify_sandbox", CLIENT),
    "postroom-knows-client": ("postroom/app.py", "import postroom_client", SERVER),
    "channel-knows-sandbox": ("postroom/channels/a.py", "import notify_sandbox", GUEST),
    "app-knows-sandbox": ("postroom/app.py", "import notify_sandbox", GUEST),
}


@pytest.fixture
def house(tmp_path: Path, top: Path) -> Path:
    shutil.copy(top / ".importlinter", tmp_path)
    for package in PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    for path, text in SOUND.items():
        (tmp_path / path).write_text(text)
    return tmp_path


def test_a_sound_house_keeps_every_contract(house: Path) -> None:
    assert _broken_contracts(house) == []


@pytest.mark.parametrize(("path", "text", "contract"), BROKEN.values(), ids=BROKEN)
def test_a_wrong_arrow_breaks_its_contract(house: Path, path: str, text: str, contract: str) -> None:
    (house / path).write_text(text)

    broken = _broken_contracts(house)

    assert [name for name in broken if name.startswith(contract)] == broken != []


def _broken_contracts(house: Path) -> list[str]:
    linter = Path(sys.executable).with_name("lint-imports")
    environment = {**os.environ, "PYTHONPATH": str(house), "COLUMNS": "200"}
    result = subprocess.run(
        [linter, "--no-logo", "--no-cache"], cwd=house, env=environment, capture_output=True, text=True
    )
    assert "Contracts: " in result.stdout, result.stdout + result.stderr
    return re.findall(r"(?m)^(.+) BROKEN\b", result.stdout)
