#!/usr/bin/env python3
"""Fetches what the pages are dressed in: GOV.UK Frontend, without its own font, and Open Sans.

    tools/refresh_pages.py [version of govuk-frontend] [version of @fontsource/open-sans]

Needs npm. Writes stylesheet, script and fonts, and a note of their versions and hashes beside them.
"""

import base64
import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

FRONTEND, FONT = "6.3.0", "5.3.0"
STATIC = Path(__file__).parent.parent / "src" / "postroom" / "interfaces" / "web" / "static"
_FONT_FACE = re.compile(r"@font-face\{[^}]*\}")
_FONT_NAME = re.compile(r'"?GDS Transport"?,\s*arial')
_PICTURE = re.compile(r"url\(/assets/[^)]*\)")
_MAP = re.compile(r"\n?/(?:\*|/)# sourceMappingURL=[^*\n]*(?:\*/)?")


def main() -> None:
    frontend, font = (*sys.argv[1:], FRONTEND, FONT)[:2] if len(sys.argv) > 2 else (FRONTEND, FONT)
    with tempfile.TemporaryDirectory() as folder:
        govuk = fetch(f"govuk-frontend@{frontend}", Path(folder))
        fonts = fetch(f"@fontsource/open-sans@{font}", Path(folder))
        written = {
            "govuk-frontend.min.css": dressed(read(govuk, "dist/govuk/govuk-frontend.min.css").decode()),
            "govuk-frontend.min.js": _MAP.sub("", read(govuk, "dist/govuk/govuk-frontend.min.js").decode()),
            "open-sans-400.woff2": read(fonts, "files/open-sans-latin-400-normal.woff2"),
            "open-sans-700.woff2": read(fonts, "files/open-sans-latin-700-normal.woff2"),
            "open-sans-licence.txt": read(fonts, "LICENSE"),
        }
        packages = {
            f"govuk-frontend {frontend}": digest(govuk),
            f"@fontsource/open-sans {font}": digest(fonts),
        }
    files = {name: text.encode() if isinstance(text, str) else text for name, text in written.items()}
    for name, content in files.items():
        (STATIC / name).write_bytes(content)
    (STATIC / "VENDORED.md").write_text(note(packages, files))


def fetch(package: str, folder: Path) -> Path:
    """npm itself checks the archive against the registry's hash."""
    before = set(folder.glob("*.tgz"))
    command = ["npm", "pack", package, "--silent", "--pack-destination", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    [archive] = set(folder.glob("*.tgz")) - before
    return archive


def read(archive: Path, name: str) -> bytes:
    with tarfile.open(archive) as opened:
        member = opened.extractfile(f"package/{name}")
        assert member is not None
        return member.read()


def dressed(stylesheet: str) -> str:
    """GDS Transport may be used on GOV.UK alone: Open Sans stands in its place. Pictures are not shipped."""
    stylesheet = _FONT_NAME.sub('"Open Sans",arial', _FONT_FACE.sub("", stylesheet))
    return _PICTURE.sub("none", _MAP.sub("", stylesheet))


def digest(archive: Path) -> str:
    return base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()


def note(packages: dict[str, str], files: dict[str, bytes]) -> str:
    lines = [f"- {name}: sha512-{value}" for name, value in packages.items()]
    lines += [f"- {name}: sha256 {hashlib.sha256(content).hexdigest()}" for name, content in files.items()]
    return (
        "# Vendored\n\n"
        "Stylesheet and script are those of `dist/govuk` in the npm package `govuk-frontend` (MIT, Crown\n"
        "copyright), without GDS Transport and pictures; they fit govuk-frontend-jinja 4.1. Open Sans is\n"
        "under the SIL Open Font License, which stands beside it. Made by `tools/refresh_pages.py`.\n\n"
        + "\n".join(lines)
        + "\n"
    )


if __name__ == "__main__":
    main()
