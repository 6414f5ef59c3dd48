"""Whether a column's texts are bad luck, or another type than its feed declares."""

import re
from dataclasses import dataclass

from pipelines.data.reading.numbers import PATTERNS
from pipelines.use_cases.spec.use_case import Column


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
