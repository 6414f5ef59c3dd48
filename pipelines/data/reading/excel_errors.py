"""The cells of an .xlsx that hold an error, such as `#N/A`, which python-calamine leaves empty."""

from collections.abc import Callable, Iterator
from typing import IO, BinaryIO
from xml.etree import ElementTree as ET
from zipfile import ZipFile, is_zipfile

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_BOOK, _RELATED = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
_ERROR = b't="e"'
_CHUNK_BYTES = 2**20


def error_cells(open_: Callable[[], BinaryIO], sheet: str) -> dict[tuple[int, int], str]:
    """The errors of a sheet, by their row (from 1) and column (from 0)."""
    with open_() as stream:
        if not is_zipfile(stream):
            return {}
        with ZipFile(stream) as package:
            path = _path(package, sheet)
            if not path or not _has_errors(package, path):
                return {}
            with package.open(path) as part:
                return dict(_errors(part))


def _path(package: ZipFile, sheet: str) -> str:
    """Where a sheet of that name is; "" in other formats than .xlsx."""
    if not {_BOOK, _RELATED} <= set(package.namelist()):
        return ""
    related = ET.fromstring(package.read(_RELATED))  # noqa: S314  # expat expands no bombs
    targets = {each.get("Id"): each.get("Target", "") for each in related}
    book = ET.fromstring(package.read(_BOOK))  # noqa: S314
    ids = {each.get("name"): each.get(_RELATION) for each in book.iter(f"{_MAIN}sheet")}
    target = targets.get(ids.get(sheet), "")
    path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    return path if path in package.namelist() else ""


def _has_errors(package: ZipFile, path: str) -> bool:
    before = b""
    with package.open(path) as part:
        while chunk := part.read(_CHUNK_BYTES):
            if _ERROR in before + chunk:
                return True
            before = chunk[-len(_ERROR) :]
    return False


def _errors(part: IO[bytes]) -> Iterator[tuple[tuple[int, int], str]]:
    for _, element in ET.iterparse(part):  # noqa: S314
        if element.tag == f"{_MAIN}row":
            for cell in element.iter(f"{_MAIN}c"):
                code = cell.findtext(f"{_MAIN}v")
                if cell.get("t") == "e" and code and (place := cell.get("r")):
                    yield _place(place), code
            # Else all of the sheet would be kept.
            element.clear()


def _place(name: str) -> tuple[int, int]:
    """Example: B7 is (7, 1)."""
    letters = name.rstrip("0123456789")
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(name[len(letters) :]), column - 1
