"""A sheet of an Excel workbook: typed cells, the first row with anything in it being the header.

python-calamine reads it (.xlsx, and .xls, .xlsb and .ods in the same way), whole into memory.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import islice
from typing import Any, BinaryIO, TypeAlias
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile, ZipFile

import pyarrow as pa  # type: ignore[import-untyped]
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from pipelines.data.reading.arrow_columns import typed_batch
from pipelines.data.reading.batches import BATCH_ROWS, COLUMNS_MAX, FileRefused
from pipelines.data.reading.dialect import RFC_4180, Dialect
from pipelines.data.reading.excel_errors import error_cells
from pipelines.data.reading.python_values import CLOCK, shown

# A small file may unpack to any size; a full sheet of 20 columns has about a gigabyte.
UNPACKED_BYTES_MAX = 2 * 2**30
# Excel keeps every number as a double, which holds whole ones exactly below this.
_WHOLE_MAX = 2**53

# So many rows show where titles end and the table begins.
_WIDTH_ROWS = 1_000
# Of a file that is damaged; the last two are of a ZIP that asks for what Python's has not.
_BROKEN = (
    *(CalamineError, BadZipFile, OSError, EOFError, zlib.error, ParseError),
    *(NotImplementedError, RuntimeError),
)

# A row's number in the sheet, and its cells.
Row: TypeAlias = tuple[int, Sequence[Any]]


@dataclass(frozen=True)
class ExcelSheet:
    """One sheet of a workbook.

    Args:
        open: a fresh stream of the file, which can be read from any place.
        file: its name, for `FILE` and for messages.
        dialect: which sheet, and how many rows stand above the header.
    """

    open: Callable[[], BinaryIO]
    file: str
    dialect: Dialect = RFC_4180

    def sheets(self) -> list[str]:
        """The sheets with anything in them; hidden ones only if there are no others.

        Raises:
            FileRefused: it is no workbook, or protected, or too large.
        """
        given = [each for each in self._book.sheets_metadata if each.typ == SheetTypeEnum.WorkSheet]
        full = [each for each in given if self._named(each.name).height]
        visible = [each.name for each in full if each.visible == SheetVisibleEnum.Visible]
        return visible or [each.name for each in full]

    def header(self) -> list[str]:
        """The texts of the first row that has any; "" for an empty cell above values.

        Raises:
            FileRefused: several sheets may be meant, or there are too many columns.
        """
        names = [name for _, name in self._columns]
        if len(names) > COLUMNS_MAX:
            raise FileRefused(f"{self.file} has {len(names)} columns, above {COLUMNS_MAX}")
        return names

    def batches(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """The rows that are not empty, typed; a line is the sheet's row.

        A column with cells of several kinds becomes texts, each as a person sees it.

        Raises:
            FileRefused: several sheets may be meant.
        """
        # Of two columns with one name the first.
        places = {name: place for place, name in reversed(self._columns)}
        wanted = {name: places[name] for name in columns if name in places}
        rows = self._rows()
        next(rows, None)
        while part := list(islice(rows, BATCH_ROWS)):
            arrays = {
                name: _array([cells[place] for _, cells in part], _type(self._kinds[place]))
                for name, place in wanted.items()
            }
            yield typed_batch(arrays, [line for line, _ in part], file=self.file)

    def widths(self) -> list[int]:
        """How many cells of each of the sheet's first rows have a value.

        Raises:
            FileRefused: several sheets may be meant.
        """
        cells = islice(self._sheet.iter_rows(), _WIDTH_ROWS) if self._sheet else ()
        return [sum(_cell(value) is not None for value in row) for row in cells]

    @cached_property
    def _book(self) -> CalamineWorkbook:
        with _refusing(self.file), self.open() as stream:
            _check_size(stream, self.file)
            stream.seek(0)
            return CalamineWorkbook.from_filelike(stream)

    def _named(self, sheet: str) -> CalamineSheet:
        with _refusing(self.file):
            return self._book.get_sheet_by_name(sheet)

    @cached_property
    def _sheet(self) -> CalamineSheet | None:
        """The sheet that is meant; None: none has anything in it."""
        if wanted := self.dialect.sheet:
            if wanted not in self._book.sheet_names:
                there = ", ".join(self._book.sheet_names)
                raise FileRefused(f"{self.file} has no sheet {wanted}; it has {there}")
            return self._named(wanted)
        names = self.sheets()
        if len(names) > 1:
            raise FileRefused(
                f"{self.file} has the sheets {', '.join(names)}; say which one by --sheet"
            )
        return self._named(names[0]) if names else None

    @cached_property
    def _errors(self) -> dict[tuple[int, int], str]:
        with _refusing(self.file):
            return error_cells(self.open, self._sheet.name) if self._sheet else {}

    def _rows(self) -> Iterator[Row]:
        """The rows that are not empty, the header first."""
        cells = self._sheet.iter_rows() if self._sheet else iter(())
        for line, row in enumerate(cells, start=1):
            if line > self.dialect.skipped_lines:
                found = [_cell(value) for value in row]
                for place in range(len(found)) if self._errors else ():
                    found[place] = self._errors.get((line, place), found[place])
                if any(value is not None for value in found):
                    yield line, found

    @cached_property
    def _columns(self) -> list[tuple[int, str]]:
        """The columns with a name or a value, by their places."""
        _, names = next(self._rows(), (0, ()))
        texts = [(shown(name) or "").strip() for name in names]
        return [(place, t) for place, t in enumerate(texts) if t or self._kinds[place]]

    @cached_property
    def _kinds(self) -> Sequence[set[type]]:
        """The kinds of values in each column below the header."""
        rows = self._rows()
        _, names = next(rows, (0, ()))
        found: list[set[type]] = [set() for _ in names]
        for _, cells in rows:
            for kinds, value in zip(found, cells, strict=True):
                kinds.add(type(value))
        return [kinds - {type(None)} for kinds in found]


@contextmanager
def _refusing(file: str) -> Iterator[None]:
    try:
        yield
    except PasswordError as error:
        raise FileRefused(f"{file} has a password; save it without") from error
    except _BROKEN as error:
        raise FileRefused(f"{file} is no whole Excel workbook ({error}); save it again") from error


def _check_size(stream: BinaryIO, file: str) -> None:
    if stream.read(2) != b"PK":
        return
    size = sum(each.file_size for each in ZipFile(stream).infolist())
    if size > UNPACKED_BYTES_MAX:
        raise FileRefused(f"{file} unpacks to {size} bytes, above {UNPACKED_BYTES_MAX}")


def _cell(value: Any) -> Any:
    """A cell's value in its narrowest kind: 7.0 is 7, a midnight is a day, "" is nothing."""
    match value:
        case float() if value.is_integer() and abs(value) < _WHOLE_MAX:
            return int(value)
        case datetime() if value.time() == time.min:
            return value.date()
        case str() if not value.strip():
            return None
    return value


def _type(kinds: set[type]) -> pa.DataType:
    return next((arrow for fitting, arrow in _TYPES if kinds <= fitting), pa.string())


_TYPES: Sequence[tuple[set[type], pa.DataType]] = (
    ({str}, pa.string()),
    ({int}, pa.int64()),
    ({int, float}, pa.float64()),
    ({bool}, pa.bool_()),
    ({date}, pa.date32()),
    ({date, datetime}, CLOCK),
    ({timedelta}, pa.float64()),
)


def _array(values: Sequence[Any], arrow: pa.DataType) -> pa.Array:
    if arrow == pa.string():
        return pa.array(map(shown, values), arrow)
    return pa.array(map(_plain, values) if arrow in (CLOCK, pa.float64()) else values, arrow)


def _plain(value: Any) -> Any:
    """A day as its midnight, a duration as its seconds."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    return datetime.combine(value, time.min) if type(value) is date else value
