"""What one column of texts is, given what the whole file settles."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import pyarrow as pa  # type: ignore[import-untyped]

from pipelines.data.reading import guess_numbers as numbers
from pipelines.data.reading.guess_instants import Instants, is_date
from pipelines.data.reading.guess_numbers import Numbers, Style
from pipelines.data.reading.missing import missing_words, sure_words
from pipelines.data.reading.notation import Notation
from pipelines.data.reading.said import Guess, Said
from pipelines.data.reading.stand_ins import stand_in_told
from pipelines.data.reading.tally import Tally
from pipelines.data.reading.values import converted
from pipelines.use_cases.spec.use_case import ColumnType

# Of the years 1954 to 2119.
_SERIAL_DAYS = r"[2-7][0-9]{4}(?:[.,][0-9]+)?"
_NOUNS: Mapping[ColumnType, str] = {
    "bigint": "whole number",
    "double": "number",
    "boolean": "true or false",
    "date": "date",
    "timestamp": "instant",
}


@dataclass(frozen=True, eq=False)
class File:
    """What all of a file's columns settle together: of numbers, and of day and month."""

    said: Said
    style: Style
    orders: frozenset[str]

    @property
    def zone(self) -> str:
        return self.said.zone or "UTC"


@dataclass(frozen=True, eq=False)
class Text:
    """A column of texts, and what its values may be; `is_time`: it must be instants."""

    name: str
    all: Tally
    is_time: bool
    said: Said

    @cached_property
    def words(self) -> frozenset[str]:
        """Those for *missing*, if it is no column of texts."""
        return frozenset(self.said.missing) | missing_words(self.all.words, are_times=self.is_time)

    @cached_property
    def tally(self) -> Tally:
        """The values that are there."""
        return self.all.without(self.words)

    @cached_property
    def numbers(self) -> Numbers:
        return Numbers(self.tally)

    @cached_property
    def instants(self) -> Instants:
        return Instants(self.tally, self.is_time, self.said.dates)


def of_text(column: Text, file: File) -> Guess:
    """What a column of texts is."""
    if not column.tally.num_rows:
        return _empty(column)
    guesses = (_of_booleans, _of_numbers, _of_instants)
    for guess in (_of_instants,) if column.is_time else guesses:
        if found := guess(column, file):
            return _with_words(column, found, file.said)
    return _no_instants(column) if column.is_time else _text(column, file.said)


def _empty(column: Text) -> Guess:
    """A column without a value; its words for *missing* are texts until a person says what of."""
    words = _missing_in_texts(column)
    line = f"{column.name}: empty in the sample"
    if rest := sorted(set(column.all.words) - words):
        line = (
            f"{column.name}: only {_shown(rest)} in the sample; say --missing if this means missing"
        )
    asks = f"{column.name}: no instant in the sample" if column.is_time else None
    return Guess(kind="string", notation=Notation(missing=words), told=(line,), asks=asks)


def _missing_in_texts(column: Text) -> frozenset[str]:
    return frozenset(column.said.missing) | sure_words(column.all.words)


def _with_words(column: Text, found: Guess, said: Said) -> Guess:
    """A guess with its words for *missing*, and what of the sample does not fit it."""
    notation = replace(found.notation, missing=column.words)
    lines = [*found.told, *_words_told(column, column.words, said)]
    bad = column.tally.bad(found.kind, found.notation)
    if bad.num_rows and not found.asks:
        lines.append(
            f"{column.name}: {bad.num_rows} of {column.tally.num_rows} values are no "
            f"{_NOUNS[found.kind]}, such as {bad.head[0][:50]!r}: these go to quarantine"
        )
    return replace(found, notation=notation, told=tuple(lines))


def _words_told(column: Text, words: frozenset[str], said: Said) -> Iterator[str]:
    if guessed := sorted(words & set(column.all.words) - set(said.missing)):
        yield f"{column.name}: missing is written {_shown(guessed)}"


def _text(column: Text, said: Said) -> Guess:
    words = _missing_in_texts(column)
    told = (*_why_text(column), *_words_told(column, words, said))
    return Guess(kind="string", notation=Notation(missing=words), told=told)


def _no_instants(column: Text) -> Guess:
    if both := column.instants.of_two_forms:
        first, second = both
        asks = (
            f"{column.name}: {first!r} and {second!r} are written in two ways, of which one column "
            "can have one: write them alike at the source"
        )
        return Guess(kind="string", notation=Notation(), asks=asks)
    how = "say how it is written by --dates, such as --dates '%d.%m.%Y %H:%M'"
    if column.tally.is_nearly_all(column.tally.num_of(_SERIAL_DAYS)):
        how = (
            "these may be days since 1900 as Excel counts them; give the column the format of a "
            "date there, or take the workbook itself"
        )
    # All may be of a form that can't be meant, such as days of the year 9000.
    rest = column.instants.unread if column.instants.unread.num_rows else column.tally
    asks = f"{column.name}: {rest.head[0][:50]!r} is not read as an instant: {how}"
    if rest.num_rows < (num_rows := column.tally.num_rows):
        asks = (
            f"{column.name}: {rest.num_rows:,} of {num_rows:,} values are not read as an instant, "
            f"such as {rest.head[0][:50]!r}: mend them at the source, or {how}"
        )
    return Guess(kind="string", notation=Notation(), asks=asks)


def _of_booleans(column: Text, _file: File) -> Guess | None:
    """True and false; a yes or no of other words stays a text, of two categories."""
    tally = column.tally
    if tally.is_nearly_all(tally.num_of("true|false")):
        return Guess(kind="boolean", notation=Notation())
    has_both = tally.num_of("t") and tally.num_of("f")
    if has_both and tally.is_nearly_all(tally.num_of("t|f|true|false")):
        line = f"{column.name}: t is true, f is false"
        return Guess(kind="boolean", notation=Notation(true=("t",), false=("f",)), told=(line,))
    return None


def _of_numbers(column: Text, file: File) -> Guess | None:
    found = column.numbers
    if column.instants.are_compact:
        return None
    if found.decimal is None and not file.said.style.decimal:
        return _mixed(column)
    if found.open_mark and not file.style.decimal:
        return _open(column)
    notation = numbers.notation_of(found, file.style)
    kind = found.kind(notation)
    if kind is None:
        return None
    told = (*_marks_told(column, notation), *stand_in_told(column.name, column.tally, notation))
    return Guess(kind=kind, notation=notation, told=told)


def _marks_told(column: Text, notation: Notation) -> Iterator[str]:
    found = column.numbers
    has_groups = bool(found.thousands(notation.decimal))
    if (found.has_marks or has_groups or notation.signs) and (how := numbers.told(notation)):
        yield f"{column.name}: {how}"
    if found.num_bare:
        share, sign = f"{found.num_bare} of {column.tally.num_rows}", notation.signs[0]
        yield f"{column.name}: {share} values have no {sign} and are read like the others"
    if mark := found.open_mark:
        text = _with_mark(column, mark)
        whole, _, rest = text.partition(mark)
        shown = f"{float(f'{whole}.{rest}'):g}" if mark == notation.decimal else f"{whole}{rest}"
        said = (
            "as was said" if column.said.style.decimal else "by the decimal marks of other columns"
        )
        yield f"{column.name}: {text} is read as {shown}, {said}"


def _with_mark(column: Text, mark: str) -> str:
    return next(text for text in column.numbers.bodies.head if mark in text)


def _mixed(column: Text) -> Guess | None:
    bodies = column.numbers.bodies
    if not bodies.is_nearly_all(bodies.num_of("[0-9.,]+")):
        return None
    comma, point = (next(text for text in bodies.head if mark in text) for mark in ",.")
    asks = (
        f"{column.name}: {comma!r} and {point!r} in one column: say --decimal ',' or --decimal "
        "'.', and values written the other way go to quarantine"
    )
    return Guess(kind="double", notation=Notation(), asks=asks)


def _open(column: Text) -> Guess | None:
    mark = column.numbers.open_mark
    if not column.numbers.kind(Notation(decimal=mark, signs=column.numbers.signs or ())):
        return None
    text = _with_mark(column, mark)
    other = "," if mark == "." else "."
    whole, _, rest = text.partition(mark)
    asks = (
        f"{column.name}: {text} may be {whole}{rest} or {whole} and {int(rest)} thousandths: say "
        f"--decimal {other!r} or --decimal {mark!r}"
    )
    return Guess(kind="double", notation=Notation(), asks=asks)


def _of_instants(column: Text, file: File) -> Guess | None:
    found = column.instants
    if found.epoch:
        line = f"{column.name}: {found.epoch} since 1970"
        return Guess(kind="timestamp", notation=Notation(epoch=found.epoch), told=(line,))
    forms = found.settled(file.orders)
    if not forms:
        return None
    form = forms[0]
    are_days = is_date(form) if form else found.are_days
    notation = Notation(format=form, zone=file.zone)
    kind: ColumnType = "date" if are_days and not column.is_time else "timestamp"
    return Guess(
        kind=kind,
        notation=notation if kind == "timestamp" else replace(notation, zone="UTC"),
        told=tuple(_how_told(column, form, file)),
        asks=_asked(column, forms),
    )


def _how_told(column: Text, form: str, file: File) -> Iterator[str]:
    if form:
        shown = " (years 69 to 99 are 19.., others 20..)" if "%y" in form else ""
        yield f"{column.name}: dates are written {form}{shown}"
    if file.zone == "UTC":
        return
    values = pa.chunked_array([column.tally.values])
    num_doubled = converted(values, "timestamp", Notation(format=form, zone=file.zone)).num_doubled
    if num_doubled:
        yield (
            f"{column.name}: {num_doubled} different times came twice, when the clocks of "
            f"{file.zone} went back: each is taken as the first"
        )


def _asked(column: Text, forms: Collection[str]) -> str | None:
    text = column.tally.head[0]
    if len(forms) > 1:
        options = " or ".join(f"--dates {form!r}" for form in forms)
        return f"{column.name}: {text} may be of several days: say {options}"
    form = next(iter(forms))
    if column.instants.has_open_century(form):
        return (
            f"{column.name}: {text} may be of this or of the last century: say --dates {form!r} to "
            "take 69 to 99 as 19.. and others as 20.., or write years in four digits"
        )
    return None


def _why_text(column: Text) -> Iterator[str]:
    """Why a column that is mostly of numbers stays a text."""
    tally = column.tally
    num_numbers = tally.num_of(r"[-+]?[0-9][0-9.,]*")
    if tally.num_bad_max < tally.num_rows - num_numbers < num_numbers / 4:
        odd = tally.without_pattern(r"[-+]?[0-9][0-9.,]*")
        yield (
            f"{column.name}: a text, since {odd.head[0][:50]!r} and others stand in {odd.num_rows} "
            f"of {tally.num_rows} rows beside numbers; say --missing if these mean missing"
        )
    elif column.numbers.are_of_several_signs:
        signs = column.numbers.all_signs
        yield f"{column.name}: a text, since its numbers have the signs {_shown(signs)}"
    elif num_numbers == tally.num_rows:
        yield f"{column.name}: a text, its digits are a code (zeros before them, or too many)"


def _shown(words: Collection[str]) -> str:
    return ", ".join(map(repr, words))
