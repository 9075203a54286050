"""How a measured process says that it answers. It imports nothing that would count as its memory."""

import json
from pathlib import Path


def say_ready(ready: Path, **said: object) -> None:
    """What a process says once it answers."""
    draft = ready.with_suffix(".draft")
    draft.write_text(json.dumps(said))
    draft.rename(ready)
