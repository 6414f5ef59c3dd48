"""A text file's bytes as blocks of UTF-8 that end where a line does, whatever its encoding.

What its encoding can't read stays in the block as bytes that are no UTF-8 either: the record that
holds them says so, and the next one is read.
"""

import codecs
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from pipelines.data.reading.batches import FileRefused

# Large enough for the readers to be fast, small enough for a worker's memory.
BLOCK_BYTES = 8 * 2**20
# A longer line is no text of records.
LINE_BYTES_MAX = 64 * 2**20
_UTF_8 = frozenset({"utf-8", "utf8", "utf_8", "utf-8-sig", "ascii"})
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
    codecs.BOM_UTF8: "utf-8",
}


def marked(start: bytes) -> str:
    """The encoding that a byte order mark names; "": there is no mark.

    Example:
        >>> marked(b"\\xef\\xbb\\xbfid"), marked(b"id")
        ('utf-8', '')
    """
    return next((name for mark, name in _MARKS.items() if start.startswith(mark)), "")


def blocks(stream: BinaryIO, encoding: str) -> Iterator[bytes]:
    """The text as UTF-8, in blocks of whole lines; a lone CR ends a line where no LF does.

    Raises:
        FileRefused: a line is above the limit.
    """
    chunks = _utf_8(stream, encoding)
    start = b""
    while b"\n" not in start and len(start) < LINE_BYTES_MAX and (chunk := next(chunks, b"")):
        start += chunk
    ends_by_cr, rest = b"\n" not in start, b""
    for text in chain([start], chunks):
        rest += text.replace(b"\r", b"\n") if ends_by_cr else text
        end = rest.rfind(b"\n") + 1
        if end:
            yield rest[:end]
            rest = rest[end:]
        if len(rest) > LINE_BYTES_MAX:
            raise FileRefused(
                f"a line has more than {LINE_BYTES_MAX // 2**20} MiB: this is no text of records"
            )
    if rest:
        yield rest


def _utf_8(stream: BinaryIO, encoding: str) -> Iterator[bytes]:
    start = stream.read(max(BLOCK_BYTES, *map(len, _MARKS)))
    name = marked(start) or encoding.lower()
    if name in _UTF_8:
        chunk = start.removeprefix(codecs.BOM_UTF8)
        while chunk:
            yield chunk
            chunk = stream.read(BLOCK_BYTES)
        return
    decoder = codecs.getincrementaldecoder(name)(errors="millrace-keep")
    while start:
        yield _encoded(decoder.decode(start))
        start = stream.read(BLOCK_BYTES)
    yield _encoded(decoder.decode(b"", final=True))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _keep(error: UnicodeError) -> tuple[str, int]:
    """Bytes that can't be decoded as marks that can't be encoded, but by `surrogateescape`."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return "".join(chr(0xDC00 + max(byte, 0x80)) for byte in wrong), error.end


codecs.register_error("millrace-keep", _keep)
