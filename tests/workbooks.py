"""Excel workbooks written by hand, since what people have is more than a library would write."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZipFile

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
# Formats of cells, by their place: none, a day, an instant, a time of day, a duration.
_FORMATS = (0, 14, 22, 21, 46)


@dataclass(frozen=True)
class Error:
    """An error in a cell, such as `#N/A`."""

    code: str


@dataclass(frozen=True)
class Sheet:
    """The cells of a sheet; a row or a cell of None is not in the file."""

    rows: Sequence[Sequence[Any] | None]
    state: str = "visible"
    merged: Sequence[str] = ()


def workbook(
    sheets: Mapping[str, Sheet | Sequence[Sequence[Any] | None]], epoch: int = 1900
) -> bytes:
    """The bytes of an .xlsx with these sheets, whose days count from 1900 or from 1904."""
    made = {name: s if isinstance(s, Sheet) else Sheet(s) for name, s in sheets.items()}
    content = BytesIO()
    with ZipFile(content, "w") as package:
        for path, text in _parts(made, epoch).items():
            package.writestr(path, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return content.getvalue()


def _parts(sheets: Mapping[str, Sheet], epoch: int) -> dict[str, str]:
    numbers = range(1, len(sheets) + 1)
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{n}" state="{sheet.state}" r:id="r{n}"/>'
        for n, (name, sheet) in zip(numbers, sheets.items(), strict=True)
    )
    is_1904 = f'<workbookPr date1904="{int(epoch == 1904)}"/>'
    styles = "".join(f'<xf numFmtId="{each}"/>' for each in _FORMATS)
    kinds = "".join(
        f'<Override PartName="/xl/worksheets/s{n}.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        for n in numbers
    )
    related = "".join(
        f'<Relationship Id="r{n}" Type="{_RELATIONS}/worksheet" Target="worksheets/s{n}.xml"/>'
        for n in numbers
    )
    relations = f'xmlns="{_PACKAGE}/relationships"'
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/>{kinds}</Types>',
        "_rels/.rels": f"<Relationships {relations}><Relationship Id='r1' "
        f"Type='{_RELATIONS}/officeDocument' Target='xl/workbook.xml'/></Relationships>",
        "xl/workbook.xml": f'<workbook {_MAIN} xmlns:r="{_RELATIONS}">{is_1904}'
        f"<sheets>{listed}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f"<Relationships {relations}>{related}<Relationship "
        f'Id="s" Type="{_RELATIONS}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f"<styleSheet {_MAIN}><cellXfs>{styles}</cellXfs></styleSheet>",
    }
    sheet_parts = zip(numbers, sheets.values(), strict=True)
    return parts | {f"xl/worksheets/s{n}.xml": _sheet(s, epoch) for n, s in sheet_parts}


def _sheet(sheet: Sheet, epoch: int) -> str:
    rows = "".join(
        f'<row r="{n}">{_cells(n, row, epoch)}</row>'
        for n, row in enumerate(sheet.rows, start=1)
        if row is not None
    )
    merged = "".join(f'<mergeCell ref="{each}"/>' for each in sheet.merged)
    cells = f"<mergeCells>{merged}</mergeCells>" if merged else ""
    return f"<worksheet {_MAIN}><sheetData>{rows}</sheetData>{cells}</worksheet>"


def _cells(row: int, values: Sequence[Any], epoch: int) -> str:
    places = ((f"{_letters(n)}{row}", value) for n, value in enumerate(values))
    return "".join(_cell(place, value, epoch) for place, value in places if value is not None)


def _letters(column: int) -> str:
    first, last = divmod(column, 26)
    return (_letters(first - 1) if first else "") + chr(ord("A") + last)


def _cell(place: str, value: Any, epoch: int) -> str:
    kind, style, text = _written(value, epoch)
    if kind == "inlineStr":
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
    return f'<c r="{place}" t="{kind}" s="{style}"><v>{text}</v></c>'


def _text(value: bool | str | Error) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return value if isinstance(value, str) else value.code


def _written(value: Any, epoch: int) -> tuple[str, int, str]:
    """A cell's type, format and content."""
    if isinstance(value, bool | str | Error):
        kind = {bool: "b", str: "inlineStr", Error: "e"}[type(value)]
        return kind, 0, escape(_text(value))
    zero = datetime(1904, 1, 1) if epoch == 1904 else datetime(1899, 12, 30)  # noqa: DTZ001
    match value:
        case datetime():
            return "n", 2, repr((value - zero) / timedelta(days=1))
        case date():
            return "n", 1, str((value - zero.date()).days)
        case time():
            return "n", 3, repr((value.hour * 60 + value.minute) / 1440)
        case timedelta():
            return "n", 4, repr(value / timedelta(days=1))
    return "n", 0, repr(value)
