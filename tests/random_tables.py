"""Tables of random values: what people write into cells, and what a file can't keep of it."""

import random
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple, TypeAlias

from pipelines.use_cases.spec.use_case import ColumnType

# Of a text: marks of every dialect, line ends, what other programs take for one, scripts of all
# widths and directions, and what looks like something else.
_MARKS = [",", ";", "\t", "|", '"', '""', "'", "''", "\\", '\\"', "#", "=", ":"]
_ENDS = ["\n", "\r\n", "\r", "\n\n", "\u2028", "\x85", "\x0b", "\x0c", "\x1c"]
_SCRIPTS = [
    "ö",
    "é",
    "Ω",
    "ж",
    "日本",
    "שלום",
    "مرحبا",
    "😀",
    "👩‍👩‍👧",
    "\u0301",
    "\u00a0",
    "\ufeff",
]
_LOOKS = ["007", "1,5", "-3.0", "1e5", "2026-03-01", "03/04/2026", "NA", "null", "true", "-", "N"]
_WORDS = ["Köln", "north", "a b", "x", "Retail", "lorem ipsum", "O'Hare", "New York"]
# The letters of one encoding are used in a file of that encoding.
LETTERS = {"cp1252": "äöüéèñß€", "utf-16": "äжΩ日😀", "utf-8": "", "utf-8-sig": "äж日"}
Values: TypeAlias = list[Any]


class Column(NamedTuple):
    """What stands under a name; None: nothing."""

    name: str
    kind: ColumnType
    values: Values


Table: TypeAlias = list[Column]


def table(draw: random.Random, *, are_plain: bool = False) -> Table:
    """Some columns of as many rows, of every type.

    Args:
        are_plain: most texts are words, and all names are, so that they can be told apart.
    """
    num_rows = draw.choice([0, 1, 2, 3, 7, 20, 60, 150])
    columns = []
    for place in range(draw.randint(1, 12)):
        kind = draw.choice(list(_OF))
        gaps = draw.choice([0, 0, 0.1, 0.5])
        one = _OF[kind](draw, are_plain)
        values = [None if draw.random() < gaps else one() for _ in range(num_rows)]
        columns.append(Column(_name(draw, place, are_plain), kind, values))
    return columns


def _name(draw: random.Random, place: int, is_plain: bool) -> str:
    odd = ["", " ", ",", '"', "ö", "😀", " a", "'", "\n", ";x"]
    return f"c{place}" if is_plain else f"c{draw.choice(odd)}{place}{draw.choice(odd)}".strip()


def _texts(draw: random.Random, is_plain: bool) -> Callable[[], str]:
    odd = draw.choice([[*_MARKS, *_SCRIPTS], [*_MARKS, *_ENDS], _ENDS, _SCRIPTS, _LOOKS, [""]])
    share = draw.choice([0, 0.1, 0.3]) if is_plain else draw.choice([0, 0.1, 0.5, 1])

    def one() -> str:
        if draw.random() >= share:
            return draw.choice(_WORDS)
        pieces = draw.choices([*odd, *odd, " ", "a"], k=draw.randint(0, 4))
        return draw.choice(odd) if draw.random() < 0.3 else "".join(pieces)

    return one


def _wholes(draw: random.Random, _: bool) -> Callable[[], int]:
    most = draw.choice([2, 100, 10**6, 2**53, 2**63])
    least = draw.choice([0, -most])
    return lambda: draw.randrange(least, most)


def _numbers(draw: random.Random, _: bool) -> Callable[[], float]:
    scale, digits = draw.choice([1, 100, 10**6, 10**12, 1e-9]), draw.choice([0, 1, 2, 3, 6, 17])
    return lambda: round(draw.uniform(-scale, scale), digits) + 0.0


def _days(draw: random.Random, _: bool) -> Callable[[], date]:
    first, days = date(draw.randint(1972, 2030), 1, 1), draw.choice([3, 40, 5000])
    return lambda: first + timedelta(days=draw.randrange(days))


def _instants(draw: random.Random, _: bool) -> Callable[[], datetime]:
    first, days = datetime(draw.randint(1972, 2030), 1, 1, tzinfo=UTC), draw.choice([1, 40, 5000])
    unit = timedelta(seconds=draw.choice([1e-6, 1e-3, 1, 60, 3600]))
    return lambda: first + draw.randrange(timedelta(days=days) // unit) * unit


_OF: dict[ColumnType, Callable[[random.Random, bool], Callable[[], Any]]] = {
    "string": _texts,
    "bigint": _wholes,
    "double": _numbers,
    "boolean": lambda draw, _: lambda: draw.random() < 0.5,
    "date": _days,
    "timestamp": _instants,
}


def changed(columns: Table, change: Callable[[str], str | None]) -> Table:
    """The table with other texts."""
    return with_values(columns, "string", change)


def rows_of(columns: Table) -> Sequence[tuple[Any, ...]]:
    return list(zip(*(each.values for each in columns), strict=True))


def with_values(columns: Table, kind: ColumnType, change: Callable[[Any], Any]) -> Table:
    """The table with other values in the columns of a type."""

    def values(column: Column) -> Values:
        return [each if each is None else change(each) for each in column.values]

    return [each._replace(values=values(each)) if each.kind == kind else each for each in columns]
