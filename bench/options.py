"""What a run of the measures is given."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from bench.servers import databases


@dataclass(frozen=True)
class Bench:
    """`postgres` gives the server's URL, and starts it when it is first asked for."""

    place: Path
    postgres: Callable[[], str]
    databases: Sequence[str] = ("sqlite", "postgres")
    rounds: int = 2
    seconds: float = 3
    connections: int = 64
    deliveries: int = 6_000
    many_deliveries: int = 100_000
    large: bool = False

    def databases_of(self, kind: str, number: int) -> AbstractContextManager[Sequence[str]]:
        """URLs of empty databases of a kind, gone at the end."""
        return databases(kind, number, place=self.place, server=self.postgres)
