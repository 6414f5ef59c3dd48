"""Texts to typed columns, strictly: a text that is not exactly of its type becomes a failure.

Spark's own casts are generous (` 7 `, `1e3` as an int, a timestamp without a zone, `Infinity`),
so each type also has a pattern.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from pipelines.use_cases.spec.use_case import Column, ColumnType

if TYPE_CHECKING:
    from pyspark.sql import Column as SparkColumn

_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_INTEGER = "-?[0-9]+"
# Java and Python read these alike. Instants are UTC and say so by their Z.
PATTERNS: Mapping[ColumnType, str] = MappingProxyType(
    {
        "int": _INTEGER,
        "bigint": _INTEGER,
        "double": r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?",
        "boolean": "true|false",
        "date": _DATE,
        "timestamp": rf"{_DATE}T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}(?:\.[0-9]{{1,6}})?Z",
    }
)


def castable(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """The columns that a text can fail to be."""
    return tuple(column for column in columns if column.type != "string")


def typed(column: Column, text: "SparkColumn") -> "SparkColumn":
    """The value of a column's text; null where the text is not exactly of its type."""
    from pyspark.sql import functions as F  # noqa: N812

    if column.type == "string":
        return text
    # `$` alone would let a last newline through.
    exact = text.rlike(rf"^(?:{PATTERNS[column.type]})(?![\s\S])")
    value = text.try_cast(column.type)
    if column.type == "double":
        # Adding 0 makes -0.0 a plain 0.0, so that equal values have equal bytes.
        exact, value = exact & (F.abs(value) <= F.lit(1.7976931348623157e308)), value + F.lit(0.0)
    return F.when(exact, value)


@dataclass(frozen=True)
class Casting:
    """How the values of one column of one file fared."""

    column: Column
    succeeded: int
    failed: int
    overflowed: str | None
    sample: str | None


# With fewer values a column of nothing but broken ones is bad luck, not a new type.
CHANGED_VALUES_MIN = 20


def type_change(casting: Casting) -> str | None:
    """Why the column has another type than declared; None: it does not.

    So it is when a whole number is too big for it (its neighbours may have been cut already), or
    when none of at least 20 values is of its type.
    """
    declared = f"column {casting.column.name} is declared {casting.column.type}"
    if casting.overflowed is not None:
        beyond = "bigint" if _fits_bigint(casting.overflowed) else "decimal(38,0)"
        return f"{declared} but holds {beyond}, such as {casting.overflowed[:100]}"
    if casting.sample is None or casting.succeeded or casting.failed < CHANGED_VALUES_MIN:
        return None
    found = looks_like(casting.sample)
    return f"{declared} but all {casting.failed} values are {found}, such as {casting.sample[:100]}"


def looks_like(text: str) -> str:
    """The narrowest type that a text is of."""
    for type_, pattern in PATTERNS.items():
        if re.fullmatch(pattern, text):
            return "bigint" if type_ == "int" else type_
    return "string"


def _fits_bigint(text: str) -> bool:
    # Longer texts can't fit, and Python refuses to read giant ones.
    return len(text) <= 20 and -(2**63) <= int(text) < 2**63  # noqa: PLR2004
