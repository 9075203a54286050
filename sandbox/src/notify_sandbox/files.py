"""Files sent by email: checked, kept, and replaced by a link."""

import base64
import binascii
import re
import secrets
import uuid
from collections.abc import Mapping
from typing import Any

import puremagic

from notify_rules.limits import (
    FILE_BYTES,
    FILE_EXTENSIONS,
    FILE_RETENTION_WEEKS_AT_MOST,
    FILENAME_CHARACTERS,
)
from notify_sandbox.model import Document, Service
from notify_sandbox.problems import bad_request, invalid
from notify_sandbox.world import World

_TYPES = {
    ".csv": "text/csv",
    ".doc": "application/msword",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".rtf": "text/rtf",
    ".txt": "text/plain",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_TEXTS = frozenset({".csv", ".json", ".txt"})
_WEEKS = re.compile(r"(\d+) weeks?")
_BOOLEANS = ("is_csv", "confirm_email_before_download")
DEFAULT_WEEKS = 26


def any_in(values: Mapping[str, object] | None) -> bool:
    return any(_is_file(value) for value in (values or {}).values())


def _is_file(value: object) -> bool:
    return isinstance(value, dict) and "file" in value


def upload(
    values: dict[str, object] | None,
    *,
    service: Service,
    recipient: str,
    simulated: bool,
    base_url: str,
    world: World,
) -> tuple[dict[str, object] | None, list[Document]]:
    """The values with links where there were files, and the files."""
    if not values or not any_in(values):
        return values, []
    if not service.contact_link:
        raise bad_request(
            "Send files by email has not been set up - add contact details for your service at "
            f"{base_url}/services/{service.id}/service-settings/send-files-by-email"
        )
    linked, documents = dict(values), []
    for name, value in values.items():
        if not _is_file(value):
            continue
        assert isinstance(value, dict)
        _check_shape(value)
        if simulated:
            linked[name] = f"{base_url}/services/{service.id}/documents/test-document"
            continue
        document = _read(value, service=service, recipient=recipient, now=world.now())
        documents.append(document)
        linked[name] = link(document, base_url)
    return linked, documents


def link(document: Document, base_url: str) -> str:
    service, own = _short(document.service_id), _short(document.id)
    return f"{base_url}/d/{service}/{own}?key={document.key}"


def decode_base64(text: str) -> bytes | None:
    """None for what is not base64; like Notify, what stands between the letters is passed over."""
    try:
        return base64.b64decode(text)
    except (binascii.Error, ValueError):
        return None


def long_id(short: str) -> str | None:
    """An id out of a link."""
    try:
        return str(uuid.UUID(bytes=base64.urlsafe_b64decode(short + "==")))
    except (binascii.Error, ValueError):
        return None


def _short(identifier: str) -> str:
    return base64.urlsafe_b64encode(uuid.UUID(identifier).bytes).decode().rstrip("=")


def _check_shape(value: dict[str, Any]) -> None:
    messages = []
    if not isinstance(value["file"], str):
        messages.append(f"file {_plain(value['file'])} is not of type string")
    messages += _filename_faults(value.get("filename"))
    for field in _BOOLEANS:
        given = value.get(field)
        if given is not None and not isinstance(given, bool):
            messages.append(
                f"{field} Unsupported value for {field}: {given}. Use a boolean true or false value."
            )
    if not _is_retention(value.get("retention_period")):
        given = value["retention_period"]
        messages.append(
            f"retention_period Unsupported value for retention_period: {given}. "
            f"Supported periods are from 1 to {FILE_RETENTION_WEEKS_AT_MOST} weeks."
        )
    if messages:
        raise invalid(*messages)


def _filename_faults(filename: object) -> list[str]:
    if filename is None:
        return []
    if not isinstance(filename, str):
        return [f"filename {_plain(filename)} is not of type string, null"]
    if "." not in filename:
        return ["filename `filename` must end with a file extension. For example, filename.csv"]
    return []


def _is_retention(given: object) -> bool:
    if given is None:
        return True
    match = _WEEKS.fullmatch(given.strip().lower()) if isinstance(given, str) else None
    return match is not None and 1 <= int(match[1]) <= FILE_RETENTION_WEEKS_AT_MOST


def _plain(value: object) -> str:
    return repr(value).replace("'", "")


def _read(value: dict[str, Any], *, service: Service, recipient: str, now: float) -> Document:
    data = decode_base64(value["file"])
    if data is None:
        raise bad_request("Document is not base64 encoded")
    if not data:
        raise bad_request("Document must not be empty")
    if len(data) > FILE_BYTES:
        raise bad_request("Uploaded file exceeds file size limit")
    filename = value.get("filename")
    if filename is not None and len(filename) > FILENAME_CHARACTERS:
        raise bad_request(f"`filename` cannot be longer than {FILENAME_CHARACTERS} characters")
    extension, mime_type = _type(data, filename, is_csv=bool(value.get("is_csv")))
    weeks = value.get("retention_period")
    return Document(
        id=str(uuid.uuid4()),
        service_id=service.id,
        key=secrets.token_urlsafe(32),
        filename=filename or f"document{extension}",
        mime_type=mime_type,
        content=data,
        created_at=now,
        retention_weeks=int(weeks.split()[0]) if weeks else DEFAULT_WEEKS,
        confirm_email=None if value.get("confirm_email_before_download") is False else recipient,
    )


def _type(data: bytes, filename: str | None, *, is_csv: bool) -> tuple[str, str]:
    """The extension and type of a file; by what is in it, and where that says little by its name."""
    sniffed = sniff(data)
    if filename is not None:
        extension = "." + filename.rpartition(".")[2].lower()
        if extension not in FILE_EXTENSIONS:
            raise bad_request(_unsupported(extension))
        if sniffed in _TYPES.values():
            return extension, _TYPES[extension]
    elif sniffed in _TYPES.values():
        found = ".csv" if is_csv else next(ext for ext, known in _TYPES.items() if known == sniffed)
        if found == ".csv" and not is_csv:
            found = ".txt"
        return found, _TYPES[found]
    raise bad_request(_unsupported(sniffed))


def _unsupported(kind: str) -> str:
    listed = ", ".join(f"'{extension}'" for extension in FILE_EXTENSIONS)
    return f"Unsupported file type '{kind}'. Supported types are: {listed}"


def sniff(data: bytes) -> str:
    """The type by content, in the words of libmagic as far as Notify depends on them."""
    if is_text(data):
        # libmagic calls a single character data.
        return "text/plain" if len(data) > 1 else "application/octet-stream"
    try:
        found = puremagic.from_string(data, mime=True)
    except (puremagic.PureError, ValueError):
        return "application/octet-stream"
    return _SAME.get(found, found) or "application/octet-stream"


_SAME = {
    "application/rtf": "text/rtf",
    "application/x-executable": "application/octet-stream",
    "application/x-elf": "application/octet-stream",
}


def is_text(data: bytes) -> bool:
    if data.startswith((b"%PDF", b"{\\rtf")):
        return False
    try:
        decoded = data[:65_536].decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < min(len(data), 65_536) - 3:
            return False
        decoded = data[: error.start].decode("utf-8")
    return not any(char < " " and char not in "\t\n\r\f\x1b" for char in decoded)
