"""What Notify refuses of a message once its placeholders are filled in, as far as the text alone tells."""

import re

from notify_rules.limits import EMAIL_BYTES, QR_CODE_BYTES, SMS_CHARACTERS

_QR_CODE = re.compile(r"\s*qr\s*(?:code\s*)?:(.*)", re.IGNORECASE)


def characters_over(body: str) -> int:
    """How many characters a text has, where these are too many; 0 where they are not.

    The name of the service, which Notify may put before a text, does not count.
    """
    return len(body) if len(body) > SMS_CHARACTERS else 0


def bytes_over(body: str) -> int:
    """How many bytes an email has, where these are too many; 0 where they are not."""
    if len(body) <= EMAIL_BYTES // 4:
        return 0
    size = len(body.encode())
    return size if size > EMAIL_BYTES else 0


def qr_codes_over(body: str) -> list[str]:
    """What a letter would print as a QR code, of a line that begins with `QR:`, and is too long for one."""
    codes = (found[1].strip() for line in body.splitlines() if (found := _QR_CODE.match(line)))
    return [data for data in codes if len(data.encode()) > QR_CODE_BYTES]
