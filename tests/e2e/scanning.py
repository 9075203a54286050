"""Looking for what must stand nowhere in clear, in whatever form somebody may have written it."""

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

import asyncpg

_SHORTEST = 5


def forms(secret: str) -> set[bytes]:
    """The ways to write it that hide nothing: encoded, escaped, in hex, in base64, or as a bare digest."""
    found: set[bytes] = set()
    for text in {secret, secret.lower(), secret.upper(), re.sub(r"\s", "", secret)}:
        if len(text) < _SHORTEST:
            continue
        raw = text.encode()
        escaped = json.dumps(text)[1:-1]
        found |= {raw, escaped.encode(), json.dumps(escaped)[1:-1].encode(), html.escape(text).encode()}
        found |= {quote(text, safe="").encode(), quote_plus(text).encode(), quote(quote(text)).encode()}
        found |= {quote(text, safe="").lower().encode(), text.encode("utf-16-le"), repr(text)[1:-1].encode()}
        found |= {raw.hex().encode(), raw.hex().upper().encode()}
        found |= _in_base64(raw)
        for algorithm in ("md5", "sha1", "sha256", "sha512"):
            digest = hashlib.new(algorithm, raw).digest()
            found |= {digest, digest.hex().encode(), *_in_base64(digest)}
    return {form for form in found if len(form) >= _SHORTEST}


def _in_base64(raw: bytes) -> set[bytes]:
    """However much stood before it, less the letters that its neighbours share in."""
    found = set()
    for before in range(3):
        if len(raw) - before < _SHORTEST:
            continue
        text = base64.b64encode(b"\0" * before + raw)
        first = {0: 0, 1: 2, 2: 3}[before]
        whole = text[first : (before + len(raw)) * 8 // 6]
        found |= {whole, whole.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def found_in(places: Mapping[str, bytes], secrets: Mapping[str, str]) -> set[tuple[str, str]]:
    """Which secret stands where, by their names. By their beginnings first: there are thousands of forms."""
    beginnings: dict[bytes, list[tuple[str, bytes]]] = {}
    for name, secret in secrets.items():
        for form in forms(secret):
            beginnings.setdefault(form[:_SHORTEST], []).append((name, form))
    found = set()
    for place, content in places.items():
        for at in range(len(content) - _SHORTEST + 1):
            for name, form in beginnings.get(content[at : at + _SHORTEST], ()):
                if content.startswith(form, at):
                    found.add((name, place))
    return found


def spellings(number: str) -> set[str]:
    """The ways to write a mobile number of this country, `07700 900765`."""
    digits = re.sub(r"\D", "", number)
    national = digits.removeprefix("0")
    return {number, digits, national, f"+44{national}", f"44{national}", f"0044{national}"}


def sqlite_bytes(url: str) -> dict[str, bytes]:
    """All that SQLite has on the disk, by its files."""
    path = Path(url.removeprefix("sqlite:///"))
    return {f"database.{each.name}": each.read_bytes() for each in _beside(path)}


def _beside(path: Path) -> Iterable[Path]:
    return sorted(path.parent.glob(path.name + "*"))


async def postgres_bytes(url: str) -> dict[str, bytes]:
    """Every value of every table, and of every index over more than columns, as it stands and as text."""
    conn = await asyncpg.connect(url)
    try:
        tables = await conn.fetch(
            "SELECT schemaname, tablename FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        kept = {}
        for schema, table in tables:
            rows = await conn.fetch(f'SELECT * FROM "{schema}"."{table}"')
            values = [value for row in rows for value in row.values()]
            kept[f"database.{table}"] = b"\0".join(map(_bytes, values))
        return kept
    finally:
        await conn.close()


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
