"""How a file is written: guessed once by `millrace new`, from then on a literal of the source.

Standard library only.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Dialect:
    r"""How the records of a file stand in it; the defaults are those of RFC 4180 and of UTF-8.

    Args:
        encoding: of texts, by Python's name; a byte order mark goes before it.
        delimiter: one character, between the fields of CSV.
        quote: around fields that hold delimiters, quotes or line ends; "": quotes are letters.
        escape: before a quote inside a quoted field; "": such a quote stands twice.
        is_padded: blanks around a field are no part of it, as in `a, "b, c"`.
        skipped_lines: of titles above the header.
        has_trailing_delimiter: each record ends with a delimiter that the header lacks.
        records: the key of a JSON envelope's list; "": the list itself, or an object a line.
        sheet: of an Excel workbook; "": its only one.

    Raises:
        ValueError: a mark that is no single character.

    Example:
        >>> Dialect(encoding="cp1252", delimiter=";").quote
        '"'
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    is_padded: bool = False
    skipped_lines: int = 0
    has_trailing_delimiter: bool = False
    records: str = ""
    sheet: str = ""

    def __post_init__(self) -> None:
        for mark, least in ((self.delimiter, 1), (self.quote, 0), (self.escape, 0)):
            if not least <= len(mark) <= 1 or mark in ("\r", "\n"):
                raise ValueError(f"Dialect: {mark!r} is not one character")


RFC_4180 = Dialect()
