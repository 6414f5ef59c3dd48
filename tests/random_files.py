"""Files that pandas, pyarrow, DuckDB and `csv` write of a table in dialects that are drawn."""

import csv
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO, StringIO
from typing import Any, Literal, TypeAlias

from pyarrow import csv as arrow_csv  # type: ignore[import-untyped]

from pipelines.data.reading.dialect import Dialect
from pipelines.data.reading.notation import Notation
from tests.random_tables import LETTERS, Table, Values, changed, rows_of, with_values
from tests.random_typed_files import Writer, Written, arrow, copied, frame, quoted

_DAYS = ["", "%d.%m.%Y", "%m/%d/%Y", "%d-%b-%Y", "%Y%m%d"]
_CLOCKS = ["", " %H:%M:%S.%f", " %H:%M:%S", "T%H:%M", " %I:%M:%S %p"]
_Quoting: TypeAlias = Literal[0, 1, 2, 3]


@dataclass(frozen=True)
class _Style:
    """How a program is told to write."""

    delimiter: str
    end: str
    encoding: str
    quote: str
    escape: str
    quoting: _Quoting

    @classmethod
    def drawn(cls, draw: random.Random) -> "_Style":
        style = cls(
            delimiter=draw.choice(",,;\t|"),
            end=draw.choice(["\n", "\n", "\r\n", "\r"]),
            encoding=draw.choice(list(LETTERS)),
            quote=draw.choice('""\''),
            escape=draw.choice(["", "", "\\"]),
            quoting=draw.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
        )
        # Where nothing is quoted, only an escape can keep a delimiter.
        is_bare = style.escape and draw.random() < 0.3
        return replace(style, quoting=csv.QUOTE_NONE) if is_bare else style

    @property
    def is_bare(self) -> bool:
        return self.quoting == csv.QUOTE_NONE

    @property
    def dialect(self) -> Dialect:
        quote = "" if self.is_bare else self.quote
        encoding = "utf-8" if self.encoding == "utf-8-sig" else self.encoding
        return Dialect(encoding=encoding, delimiter=self.delimiter, quote=quote, escape=self.escape)

    def of_csv(self) -> dict[str, Any]:
        """The options that `csv` and pandas share."""
        return {
            "quotechar": self.quote,
            "doublequote": not self.escape,
            "escapechar": self.escape or None,
            "quoting": self.quoting,
            "lineterminator": self.end,
        }


def by_csv(draw: random.Random, table: Table) -> Written:
    style = _Style.drawn(draw)
    decimal, day, clock = draw.choice("..,"), draw.choice(_DAYS), draw.choice(_CLOCKS)
    table, notations = _noted(_fitted(draw, table, style), decimal, day, clock)
    texts = [[_text(value, notations[each.name]) for value in each.values] for each in table]
    made = StringIO(newline="")
    writer = csv.writer(made, delimiter=style.delimiter, **style.of_csv())
    writer.writerow([each.name for each in table])
    writer.writerows(zip(*texts, strict=True))
    return _delimited("csv", made.getvalue(), table, style, notations)


def by_pandas(draw: random.Random, table: Table) -> Written:
    style = _Style.drawn(draw)
    decimal, day, clock = draw.choice("..,"), draw.choice(_DAYS), draw.choice(_CLOCKS)
    missing = draw.choice(["", "", "NA", "NULL", "-"])
    form = draw.choice([None, None, "%.3f", "%g", "%.9e"])
    table, notations = _noted(_fitted(draw, table, style), decimal, day, clock if day else "")
    if form:
        table = with_values(table, "double", lambda value: float(form % value) + 0.0)
    made = frame(table).to_csv(
        sep=style.delimiter,
        decimal=decimal,
        date_format=f"{day}{clock}" if day else None,
        na_rep=missing,
        float_format=form,
        index=False,
        **style.of_csv(),
    )
    # What was null and what was that word are one.
    table = changed(table, lambda text: None if text == missing else text)
    said = {name: replace(each, missing=frozenset({missing})) for name, each in notations.items()}
    return _delimited("csv", made, table, style, said)


def by_arrow(draw: random.Random, table: Table) -> Written:
    style = replace(_Style.drawn(draw), end="\n", encoding="utf-8", quote='"', escape="")
    style = replace(style, quoting=draw.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    table = _fitted(draw, table, style)
    made = BytesIO()
    quoting = "needed" if style.quoting == csv.QUOTE_MINIMAL else "all_valid"
    options = arrow_csv.WriteOptions(
        delimiter=style.delimiter, quoting_style=quoting, batch_size=draw.choice([1, 7, 1024])
    )
    arrow_csv.write_csv(arrow(table, draw.choice(["UTC", None])), made, options)
    written = _delimited("csv", made.getvalue().decode(), table, style, {})
    return written if len(table) > 1 else _without_blank_lines(written)


def by_duckdb(draw: random.Random, table: Table) -> Written:
    style = replace(_Style.drawn(draw), end="\n", encoding="utf-8")
    if style.is_bare:
        style = replace(style, quoting=csv.QUOTE_MINIMAL)
    day, clock = draw.choice(_DAYS), draw.choice(_CLOCKS)
    if style.escape and style.quoting != csv.QUOTE_ALL:
        # It escapes nothing outside of quotes, where `csv` does: only such a backslash is plain.
        table = changed(table, lambda text: text.replace("\\", "\\ "))
    missing = draw.choice(["", "NULL"])
    table, notations = _noted(_fitted(draw, table, style), ".", day, clock if day else "")
    # It has a form for days alone.
    notations |= {each.name: Notation(format=day) for each in table if each.kind == "date"}
    options = {
        "delimiter": style.delimiter,
        "quote": style.quote,
        "escape": style.escape or style.quote,
        "nullstr": missing,
        "dateformat": day or "%Y-%m-%d",
        "timestampformat": f"{day}{clock}" if day else "%Y-%m-%d %H:%M:%S.%f",
    }
    said = ", ".join(f"{name} {quoted(value)}" for name, value in options.items())
    forced = ", force_quote *" if style.quoting == csv.QUOTE_ALL else ""
    made = copied(table, f"format csv, header, {said}{forced}").decode()
    table = changed(table, lambda text: None if text == missing else text)
    told = {name: replace(each, missing=frozenset({missing})) for name, each in notations.items()}
    written = _delimited("csv", made, table, style, told)
    return written if missing or len(table) > 1 else _without_blank_lines(written)


DELIMITED: Sequence[Writer] = (by_csv, by_pandas, by_arrow, by_duckdb)


def _fitted(draw: random.Random, table: Table, style: _Style) -> Table:
    """The table with what such a file can hold, and what the reader says it takes."""
    letters, gone = LETTERS[style.encoding], set[str]()
    if style.is_bare:
        gone |= {"\n", "\r"}  # only quotes keep a line end
    if style.end == "\r":
        gone.add("\n")  # it would be the file's line end

    def held(text: str) -> str:
        kept = "".join(letter for letter in text if letter not in gone)
        return kept.encode(style.encoding, "ignore").decode(style.encoding)

    def lettered(text: str) -> str:
        return held(text + draw.choice(letters) if letters and draw.random() < 0.5 else text)

    found = [each._replace(name=held(each.name)) for each in changed(table, lettered)]
    if len(found) == 1:
        return [found[0]._replace(values=_of_lines(found[0].values, style))]
    return found if len(found) == 2 else _of_one_record(found, style.delimiter)


def _of_lines(values: Values, style: _Style) -> Values:
    """Of one column no text of blanks, a blank line; `csv` writes no null without quotes."""
    full = [None if isinstance(each, str) and not each.strip() else each for each in values]
    return [each for each in full if each is not None] if style.is_bare else full


def _of_one_record(table: Table, delimiter: str) -> Table:
    """No text has both: lines with all the delimiters of a record are taken as several records."""
    return changed(
        table,
        lambda text: text.replace(delimiter, "") if "\n" in text or "\r" in text else text,
    )


def _noted(table: Table, decimal: str, day: str, clock: str) -> tuple[Table, dict[str, Notation]]:
    """The table with its instants as such a form keeps them, and its notations."""
    form = f"{day}{clock}" if day else ""
    notations = {"double": Notation(decimal=decimal)}
    notations |= dict.fromkeys(("date", "timestamp"), Notation(format=form))
    if form:
        table = with_values(table, "timestamp", lambda value: _read(value.strftime(form), form))
    return table, {each.name: notations.get(each.kind, Notation()) for each in table}


def _read(text: str, form: str) -> datetime:
    return datetime.strptime(text, form).replace(tzinfo=UTC)


def _text(value: Any, notation: Notation) -> Any:
    if isinstance(value, float):
        return repr(value).replace(".", notation.decimal)
    return value.strftime(notation.format) if notation.format and value is not None else value


def _delimited(
    suffix: str, text: str, table: Table, style: _Style, notations: Mapping[str, Notation]
) -> Written:
    lines = _lines(table, "\r" if style.end == "\r" else "\n")
    if style.end == "\r":
        # All line ends of such a file are read as LF.
        table = changed(table, lambda each: each.replace("\r", "\n"))
    content = text.encode(style.encoding)
    return Written(f"a.{suffix}", content, table, style.dialect, notations, lines)


def _lines(table: Table, end: str) -> list[int]:
    line, found = 2 + sum(each.name.count(end) for each in table), []
    for row in rows_of(table):
        found.append(line)
        line += 1 + sum(cell.count(end) for cell in row if isinstance(cell, str))
    return found


def _without_blank_lines(written: Written) -> Written:
    """Of one column, where a null is an empty line and no record."""
    (column,) = written.table
    kept = [value is not None for value in column.values]
    lines = [line for line, is_kept in zip(written.lines or (), kept, strict=True) if is_kept]
    values = [value for value in column.values if value is not None]
    return replace(written, table=[column._replace(values=values)], lines=lines)
