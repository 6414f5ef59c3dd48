"""How the files of a location are written: what is certain of their start, each told in a line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pipelines.core.errors import UsageError
from pipelines.data.reading.batches import FileRefused
from pipelines.data.reading.dialect import Dialect
from pipelines.data.reading.encodings import Encoding, encoding_of
from pipelines.data.reading.excel import ExcelSheet
from pipelines.data.reading.files import TABS, FileTable
from pipelines.data.reading.json_text import guess_records
from pipelines.data.reading.listing import Found, failing_plainly
from pipelines.data.reading.sniff import (
    DELIMITERS,
    SAMPLE_BYTES,
    SaidDialect,
    header_at,
    header_told,
    named,
    sniffed,
)

# Of a folder so many files are looked at: the first may be empty, or of ASCII alone.
_FILES_MAX = 20


@dataclass(frozen=True)
class Recognised:
    """A dialect, and what to tell of it."""

    dialect: Dialect
    told: Sequence[str] = ()


def recognised(table: FileTable, said: SaidDialect) -> Recognised:
    """The dialect of a location's files, of which all have one.

    Raises:
        UsageError: it is not certain; names the option that says it.
        BatchRefused: no file can be read.
    """
    alone = [_left_alone(table.listing.left_alone)] if table.listing.left_alone else []
    files = table.listing.files
    with failing_plainly(table.location):
        try:
            found = _of_kind(files, said) if files else Recognised(Dialect())
        except FileRefused as error:
            raise UsageError(str(error)) from error
    return Recognised(found.dialect, (*alone, *found.told))


def _left_alone(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if names[5:] else "")
    return f"left alone, as hidden, unfinished or no data: {shown}"


def _of_kind(files: Sequence[Found], said: SaidDialect) -> Recognised:
    kinds = {file.kind for file in files}
    if len(kinds) > 1:
        raise UsageError(f"the folder has files of {' and '.join(sorted(kinds))}; name one of them")
    return _KINDS[kinds.pop()](files, said)


def _delimited(files: Sequence[Found], said: SaidDialect) -> Recognised:
    starts = list(_starts(files))
    if not starts:
        return Recognised(Dialect())
    (file, start), *_ = starts
    encoding = _encoding(starts, said)
    delimiters = TABS.get(file.suffix, DELIMITERS)
    dialect, told = sniffed(start, encoding.name, said, delimiters)
    for other, its_start in starts[1:] if said.delimiter is None else ():
        its, _ = sniffed(its_start, encoding.name, said, TABS.get(other.suffix, DELIMITERS))
        _refuse_another(file, dialect, other, its)
    return Recognised(dialect, (*_line(encoding.told), *told))


def _refuse_another(file: Found, dialect: Dialect, other: Found, its: Dialect) -> None:
    if its.delimiter != dialect.delimiter and file.suffix == other.suffix:
        raise UsageError(
            f"{file.name} has {named(dialect.delimiter)} between its fields, {other.name} "
            f"{named(its.delimiter)}: the files of a folder are read alike; put those that are "
            "written otherwise into a folder of their own"
        )


def _encoding(starts: Sequence[tuple[Found, bytes]], said: SaidDialect) -> Encoding:
    """By the first file that is not of ASCII alone, which would say nothing of the others."""
    if said.encoding:
        return Encoding(said.encoding)
    file, start = next((pair for pair in starts if not pair[1].isascii()), starts[0])
    return encoding_of(start, file.name)


def _line(told: str) -> Sequence[str]:
    return (told,) if told else ()


def _json(files: Sequence[Found], said: SaidDialect) -> Recognised:
    starts = list(_starts(files))
    if not starts:
        return Recognised(Dialect())
    (file, _), *_ = starts
    encoding, records = _encoding(starts, said), said.records
    if records is None:
        is_lines = file.suffix in (".jsonl", ".ndjson")
        records = "" if is_lines else guess_records(file.open, file.name, encoding.name)
    told = _line(f"records: the list {records}" if records and said.records is None else "")
    dialect = Dialect(encoding=encoding.name, records=records)
    return Recognised(dialect, (*_line(encoding.told), *told))


def _excel(files: Sequence[Found], said: SaidDialect) -> Recognised:
    dialect = Dialect(sheet=said.sheet or "", skipped_lines=said.skipped_lines or 0)
    if said.skipped_lines is None:
        sheet = ExcelSheet(files[0].open_seekable, files[0].name, dialect)
        dialect = replace(dialect, skipped_lines=header_at(sheet.widths()))
    return Recognised(dialect, header_told(dialect) if said.skipped_lines is None else ())


def _arrow(_files: Sequence[Found], _said: SaidDialect) -> Recognised:
    """It says all of itself."""
    return Recognised(Dialect())


_KINDS = {"delimited": _delimited, "json": _json, "excel": _excel, "arrow": _arrow}


def _starts(files: Sequence[Found]) -> Iterator[tuple[Found, bytes]]:
    """The files with anything in them, and how each begins."""
    for file in files[:_FILES_MAX]:
        with file.open() as stream:
            if start := stream.read(SAMPLE_BYTES):
                yield file, start
