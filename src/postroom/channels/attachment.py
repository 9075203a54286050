"""A file that goes with an email: `{"file": base64, "filename": …}` where a value would stand."""

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

LARGEST_BYTES = 2 * 1024 * 1024 + 1024
EXTENSIONS = ("csv", "doc", "docx", "jpeg", "jpg", "json", "odt", "pdf", "png", "rtf", "txt", "xlsx")
LONGEST_FILENAME = 100

_RETENTION = re.compile(r"([1-9]|[1-6][0-9]|7[0-8]) weeks?")
_KNOWN = frozenset({"file", "filename", "confirm_email_before_download", "retention_period", "is_csv"})


def is_file(value: Any) -> bool:
    return isinstance(value, dict) and "file" in value


def check(value: Mapping[str, Any]) -> list[str]:
    """Every reason why the provider would not take the file."""
    messages = [f"Remove {name} from the file." for name in value if name not in _KNOWN]
    messages += _check_content(value["file"])
    filename = value.get("filename")
    if filename is not None:
        messages += _check_filename(filename)
    if not isinstance(value.get("confirm_email_before_download", True), bool | None):
        messages.append("Use true or false for confirm_email_before_download.")
    if not isinstance(value.get("is_csv", False), bool | None):
        messages.append("Use true or false for is_csv.")
    retention = value.get("retention_period")
    if retention is not None and not (isinstance(retention, str) and _RETENTION.fullmatch(retention)):
        messages.append("Use 1 to 78 weeks for retention_period, as in “26 weeks”.")
    return messages


def without_content(value: Mapping[str, Any]) -> dict[str, Any]:
    """The file as it may be shown: its name and settings, never what is in it."""
    return {name: part for name, part in value.items() if name != "file"}


def _check_content(content: Any) -> list[str]:
    try:
        raw = b64decode(content, validate=True) if isinstance(content, str) else None
    except (binascii.Error, ValueError):
        raw = None
    if raw is None:
        return ["Give the file as base64."]
    if not raw:
        return ["The file is empty."]
    return ["Use a file of up to 2 MB."] if len(raw) > LARGEST_BYTES else []


def _check_filename(filename: Any) -> list[str]:
    if not isinstance(filename, str) or not 1 <= len(filename) <= LONGEST_FILENAME:
        return [f"Use a filename of up to {LONGEST_FILENAME} characters."]
    stem, dot, extension = filename.rpartition(".")
    if not (stem and dot) or extension.lower() not in EXTENSIONS:
        return [f"End the filename with one of {', '.join(EXTENSIONS)}."]
    return []
