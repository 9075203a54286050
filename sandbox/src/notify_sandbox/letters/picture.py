"""Pages of a letter as pictures, for eyes that have no PDF viewer at hand."""

import struct
import zlib

import pypdfium2  # type: ignore[import-untyped]

SCALE = 1.25
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY_8_BIT = b"\x08\x00\x00\x00\x00"


def page_picture(pdf: bytes, number: int) -> bytes | None:
    """One page, counted from 0, as a PNG; None where there is none."""
    try:
        document = pypdfium2.PdfDocument(pdf)
    except pypdfium2.PdfiumError:
        return None
    try:
        if number >= len(document):
            return None
        bitmap = document[number].render(scale=SCALE, grayscale=True)
        return _png(bytes(bitmap.buffer), bitmap.width, bitmap.height, bitmap.stride)
    finally:
        document.close()


def _png(data: bytes, width: int, height: int, stride: int) -> bytes:
    # Each row begins with 0: it is not filtered.
    rows = b"".join(b"\x00" + data[row * stride : row * stride + width] for row in range(height))
    head = struct.pack(">II", width, height) + _GREY_8_BIT
    return _SIGNATURE + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows, 6)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
