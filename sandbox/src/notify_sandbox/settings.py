"""How a sandbox runs: where it listens, where it keeps its record, and how fast its time goes."""

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from notify_sandbox.seed import Seed


class Timing(Struct, kw_only=True, frozen=True, rename="camel"):
    """How long each part of a course takes, in seconds at speed 1: far shorter than in life."""

    sending: float = 0.02
    pending: float = 0.1
    final: float = 0.3
    virus_check: float = 0.2
    letter_pdf: float = 0.1
    letter_sending: float = 0.3
    letter_received: float = 1.0
    receipt_retry: float = 300.0

    def at_speed(self, speed: float) -> "Timing":
        return Timing(**{name: getattr(self, name) / speed for name in self.__struct_fields__})


class SandboxSettings(Struct, kw_only=True, frozen=True):
    """`config` is a file (YAML or JSON), `seed` one already read; without either there is the demo."""

    host: str = "127.0.0.1"
    port: int = 0
    data: Path | None = None
    config: Path | None = None
    seed: "Seed | None" = None
    ready: Path | None = None
    speed: float = 1.0
    timing: Timing = Timing()
    exit_with_parent: bool = False
    allow_remote: bool = False
    max_body_bytes: int = 8 * 1024 * 1024
    page_size: int = 250
