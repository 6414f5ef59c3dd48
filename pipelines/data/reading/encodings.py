"""In what encoding a text is: by its mark, by its form, or as Western Europe writes; else asked.

Any bytes are text in some encoding of one byte a letter, so such a guess is made only where the
letters that come out are those of Western words, and where those that Central Europe's encodings
make of the same bytes are of none of its languages, or are the same. It is always told, with an
example.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from charset_normalizer import from_bytes

from pipelines.core.errors import UsageError
from pipelines.data.reading.texts import marked

# The letters beyond ASCII of German, French, Spanish, Portuguese, Italian, Dutch and the Nordic
# languages, and the signs that stand beside words there.
_LETTERS = frozenset("äöüßéèêëàâçîïôûùœæñáíóúãõåøÄÖÜÉÈÊËÀÂÇÎÏÔÛÙŒÆÑÁÍÓÚÃÕÅØìòÌÒ")
_SIGNS = frozenset("€£¥°²³µ§©®™«»‹›„“”‚‘’–—…·•¿¡ºª½¼¾±×\xa0")  # noqa: RUF001
# Halves of letters beyond 65535, each as if it were a letter: some databases write these.
_SURROGATES = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
# The letters of the languages that these encodings are for, each by itself: a word is of one.
_OTHERS = {
    "cp1250": (
        *("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíľňóôšťúýž", "áéíóöőúüű"),
        *("ăâîşţ", "čćđšž", "äöüß"),
    ),
    "cp1257": ("āčēģīķļņšūž", "ąčęėįšųūž", "äöõüšž", "äöüß"),
}
_WORD = re.compile(r"[^\W\d_]+")
_SIGN_IN_A_WORD = re.compile(r"[^\W\d_][„”‚³£¡¢¤¥\xa0][^\W\d_]")  # noqa: RUF001
# In Western words most letters are ASCII; of a Greek or Russian text read so hardly one is.
_ACCENTED_SHARE_MAX = 0.5
_SHOWN = 5


@dataclass(frozen=True)
class Encoding:
    """Python's name of it, and why it is that; of plain UTF-8 nothing needs to be said."""

    name: str
    told: str = ""


def encoding_of(start: bytes, where: str) -> Encoding:
    """The encoding of a text from its start, cut anywhere.

    Raises:
        UsageError: several are possible; names the line and what each would make of it.
    """
    if name := marked(start):
        told = "" if name == "utf-8" else f"encoding: {name}, by its byte order mark"
        return Encoding(name, told)
    if name := _wide(start):
        return Encoding(name, f"encoding: {name}, by its NUL bytes")
    wrong = _first_wrong(start)
    if wrong is None:
        return Encoding("utf-8")
    if _is_mostly_utf_8(start) or _first_wrong(_SURROGATES.sub(b"", start)) is None:
        line = start.count(b"\n", 0, wrong) + 1
        return Encoding("utf-8", f"encoding: UTF-8, but not line {line}: such rows are quarantined")
    cells = _strange_cells(start)
    strange = [cell.decode("cp1252", "replace").strip() for cell in cells]
    example = next((word for word in strange if _is_western(word)), "")
    if example and all(map(_is_western, strange)) and not any(_may_be(cells, n) for n in _OTHERS):
        return Encoding("cp1252", f"encoding: Windows-1252 (cp1252), such as in {example!r}")
    raise UsageError(_uncertain(start, wrong, where))


def _wide(start: bytes) -> str:
    """UTF-16 without a mark: every other byte of Western text is NUL."""
    sample = start[: 2**16]
    even, odd = (sample[first::2].count(0) for first in (0, 1))
    if max(even, odd) < len(sample) / 8:
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _first_wrong(start: bytes) -> int | None:
    """The place of the first byte that is no UTF-8; a letter cut at the end is none."""
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as error:
        is_cut = error.start > len(start) - 4 and error.reason == "unexpected end of data"
        return None if is_cut else error.start
    return None


def _is_mostly_utf_8(start: bytes) -> bool:
    """Whether more letters beyond ASCII are UTF-8 than not: by chance hardly one is."""
    letters = [letter for letter in start.decode("utf-8", "replace") if not letter.isascii()]
    return 2 * letters.count("\ufffd") < len(letters)


def _strange_cells(start: bytes) -> list[bytes]:
    """The cells with bytes beyond ASCII, each once."""
    return sorted(set(re.findall(rb"[^,;\t|\"\r\n]*[\x80-\xff][^,;\t|\"\r\n]*", start[: 2**20])))


def _may_be(cells: Sequence[bytes], name: str) -> bool:
    r"""Whether they are words of an encoding's languages, and others than Windows-1252 reads.

    Example:
        >>> _may_be(["Gdańsk".encode("cp1250")], "cp1250"), _may_be([b"Besan\xe7on"], "cp1250")
        (True, False)
    """
    read = [cell.decode(name, "replace") for cell in cells]
    if read == [cell.decode("cp1252", "replace") for cell in cells]:
        return False
    words = {word.lower() for text in read for word in _WORD.findall(text) if not word.isascii()}
    return all(any(_is_of(word, letters) for letters in _OTHERS[name]) for word in words)


def _is_of(word: str, letters: str) -> bool:
    return all(letter in letters for letter in word if not letter.isascii())


def _is_western(text: str) -> bool:
    beyond = [letter for letter in text if not letter.isascii()]
    if not all(letter in _LETTERS or letter in _SIGNS for letter in beyond):
        return False
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    accented = sum(letter in _LETTERS for word in words for letter in word)
    is_sparse = accented <= _ACCENTED_SHARE_MAX * sum(map(len, words))
    return is_sparse and not _SIGN_IN_A_WORD.search(text)


def _uncertain(start: bytes, wrong: int, where: str) -> str:
    line = start.count(b"\n", 0, wrong) + 1
    begins = start.rfind(b"\n", 0, wrong) + 1
    text = start[begins : start.find(b"\n", wrong) if b"\n" in start[wrong:] else len(start)]
    around = text[max(0, wrong - begins - 20) : wrong - begins + 20]
    names = ["cp1252", "cp1250", *(found.encoding for found in from_bytes(start[: 2**16]))]
    shown: dict[str, str] = {}
    for name in names:
        read = around.decode(name, "replace").strip()
        if read not in shown.values() and all(map(_is_readable, read)):
            shown[name] = read
    said = ", ".join(f"{name}: {read!r}" for name, read in list(shown.items())[:_SHOWN])
    return (
        f"{where}, line {line}: byte 0x{start[wrong]:02x} is no UTF-8, and it is not certain what "
        f"else ({said}); say it by --encoding"
    )


def _is_readable(letter: str) -> bool:
    return unicodedata.category(letter)[0] != "C" and letter != "\ufffd"
