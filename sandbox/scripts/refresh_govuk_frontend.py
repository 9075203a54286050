"""Fetches the stylesheet of GOV.UK Frontend from npm, and leaves out the font that is not ours to use.

    python sandbox/scripts/refresh_govuk_frontend.py [version]

Needs npm. Writes the stylesheet and a note of its version and hashes beside it.
"""

import base64
import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

VERSION = "6.3.0"
STATIC = Path(__file__).parent.parent / "src" / "notify_sandbox" / "pages" / "static"
_FONT_FACE = re.compile(r"@font-face\{[^}]*\}")
_FONT_NAME = re.compile(r'"?GDS Transport"?,\s*')
_PICTURE = re.compile(r"url\(/assets/[^)]*\)")


def main() -> None:
    version = sys.argv[1] if len(sys.argv) > 1 else VERSION
    with tempfile.TemporaryDirectory() as folder:
        archive = fetch(version, Path(folder))
        package = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        with tarfile.open(archive) as opened:
            member = opened.extractfile("package/dist/govuk/govuk-frontend.min.css")
            assert member is not None
            original = member.read().decode()
    stylesheet = without_font(original)
    (STATIC / "govuk-frontend.min.css").write_text(stylesheet)
    (STATIC / "VENDORED.md").write_text(note(version, package, stylesheet))


def fetch(version: str, folder: Path) -> Path:
    """npm itself checks the archive against the registry's hash."""
    command = ["npm", "pack", f"govuk-frontend@{version}", "--silent", "--pack-destination", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
    [archive] = folder.glob("*.tgz")
    return archive


def without_font(stylesheet: str) -> str:
    """GDS Transport may be used on GOV.UK alone; and the pictures are not shipped."""
    stylesheet = _FONT_NAME.sub("", _FONT_FACE.sub("", stylesheet))
    stylesheet = re.sub(r"\n?/\*# sourceMappingURL=[^*]*\*/", "", stylesheet)
    return _PICTURE.sub("none", stylesheet)


def note(version: str, package: str, stylesheet: str) -> str:
    own = hashlib.sha256(stylesheet.encode()).hexdigest()
    return (
        "# Vendored\n\n"
        "`govuk-frontend.min.css` is that of `dist/govuk` in the npm package `govuk-frontend`\n"
        f"{version} (MIT, Crown copyright), without GDS Transport and pictures; it fits\n"
        "govuk-frontend-jinja 4.1. Made by `sandbox/scripts/refresh_govuk_frontend.py`.\n\n"
        f"- package: sha512-{package}\n- file: sha256 {own}\n"
    )


if __name__ == "__main__":
    main()
