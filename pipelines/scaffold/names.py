"""Column names of any source as lower-case identifiers that no stage uses for itself."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from anyascii import anyascii

from pipelines.core.errors import UsageError
from pipelines.scaffold.reserved import FEATURE, RESERVED, reserved

LENGTH_MAX = 40
NONE: Mapping[str, str] = MappingProxyType({})
_SHOWN_MAX = 60

# Names are promises (expectations/suites.py); a column that does not keep one gets another word.
_RATES = {"rate": "level", "share": "portion"}
# What a column's name says of its unit, its description spells out (tests/contract/test_dbt.py).
UNITS = {
    "_at": "UTC",
    "_minutes": "minutes",
    "_rate": "0 to 1",
    "_miles": "miles",
    "_feet": "feet",
    "_mph": "miles an hour",
    "_inches": "inches",
    "_millibars": "millibars",
    "_fahrenheit": "Fahrenheit",
    "_percent": "percent",
    "_degrees": "degrees",
    "_date": "date",
}
# Each of them would end what a description stands in: a Spark literal, a jinja mark, a YAML text.
_PLAIN = str.maketrans({"'": "\u2019", '"': "\u2019", "\\": "/", "{": "(", "}": ")"})


@dataclass(frozen=True)
class Header:
    """One column as its source names it.

    Args:
        source: its own name, as it stands there.
        place: among the columns, from 1.
        low, high: the least and the greatest of its numbers in the sample.
    """

    source: str
    place: int
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Named:
    """Our names by the source's, and what is to be said of them."""

    names: Mapping[str, str]
    said: Sequence[str] = field(default_factory=tuple)


def named(
    headers: Sequence[Header],
    case: str,
    task: str | None = None,
    given: Mapping[str, str] = NONE,
) -> Named:
    """A name of its own for each column; those of one name are numbered.

    Args:
        task: whose tables have columns of their own.
        given: names that are Millrace's, by the source's.

    Example:
        >>> named([Header("Price", 1), Header("price ", 2), Header("", 3)], "shop").names
        {'Price': 'price', 'price ': 'price_2', '': 'column_3'}
    """
    ours = reserved(task)
    wanted = {**{each.source: _wanted(each, case, ours) for each in headers}, **given}
    taken, names, said = set(wanted.values()), dict(given), list[str]()
    for each in (each for each in headers if each.source not in given):
        name = wanted[each.source]
        if name in names.values():
            name = _numbered(name, taken)
            taken.add(name)
            said.append(f"column {each.source!r} is named {name}: another has its name already")
        elif not each.source.strip():
            said.append(f"column {each.place} has no name in the source: it is named {name}")
        names[each.source] = name
    return Named({each.source: names[each.source] for each in headers}, tuple(said))


def _wanted(header: Header, case: str, ours: Collection[str]) -> str:
    name = identifier(header.source, case, ours) or f"column_{header.place}"
    return kept_promises(name, header.low, header.high)


def _numbered(name: str, taken: set[str]) -> str:
    """The first of `name_2`, `name_3` and so on that is free, no longer than a name may be."""
    number = 2
    while (found := f"{name[: LENGTH_MAX - 1 - len(str(number))]}_{number}") in taken:
        number += 1
    return found


def identifier(source: str, case: str, ours: Collection[str] = RESERVED) -> str:
    """One column's name as an identifier; empty: nothing of it can be written in plain letters.

    Example:
        >>> identifier("Loan Amount (EUR)", "loans"), identifier("orderDate", "shop")
        ('loan_amount_eur', 'order_date')
        >>> identifier("Größe", "shop"), identifier("仙台 発車", "shop")
        ('grosse', 'xian_tai_fa_che')
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", anyascii(source)).lower()
    name = re.sub(r"[^a-z0-9]+", "_", words).strip("_")
    # Entity states are told from a decision's own columns by the case's name in front.
    name = name.removeprefix(f"{case}_")[:LENGTH_MAX].strip("_")
    if name[:1].isdigit():
        name = f"column_{name}"[:LENGTH_MAX].strip("_")
    return f"{name}_value" if name in ours or FEATURE.fullmatch(name) else name


def kept_promises(name: str, low: float | None, high: float | None) -> str:
    """The name, with another word where its numbers are not what the word promises.

    Example:
        >>> kept_promises("interest_rate", 0.5, 19.9), kept_promises("interest_rate", 0.005, 0.199)
        ('interest_level', 'interest_rate')
    """
    if low is None or high is None:
        return name
    if low < 0 or high > 1:
        name = "_".join(_RATES.get(word, word) for word in name.split("_"))
    if name.startswith("num_") and (low < 0 or high > 10**9):
        name = f"number_{name.removeprefix('num_')}"[:LENGTH_MAX]
    return name


def refuse_repeated(sources: Sequence[str], without: Sequence[str] = ()) -> None:
    """Columns of one and the same name can't be told apart, by nobody who reads them.

    Raises:
        UsageError: names them, and the ways out.
    """
    found = Counter(name for name in sources if name.strip() and name not in without)
    repeated = [f"{name!r} {number} times" for name, number in found.items() if number > 1]
    if repeated:
        raise UsageError(
            f"the header has {', '.join(repeated)}: nothing tells these columns apart. Give each a "
            "name of its own at the source, or leave all of that name out by --without"
        )


def described(source: str, name: str) -> str:
    """A description with the column's own name, and the unit that ours promises.

    Example:
        >>> described("Sold\\tat", "sold_at"), described("", "column_3")
        ("the source's «Sold at», UTC", "the source's column without a name")
    """
    shown = plain_words(source)
    own = f"the source's «{shown}»" if shown else "the source's column without a name"
    return ", ".join([own, *units_of(name)])


def plain_words(text: str) -> str:
    """A text as it may stand in any description: in YAML, in a Spark literal, in dbt's jinja.

    Example:
        >>> plain_words("{{ so }} ")
        '(( so ))'
    """
    printable = "".join(mark if mark.isprintable() else " " for mark in text)
    return " ".join(printable.translate(_PLAIN).split())[:_SHOWN_MAX].strip()


def units_of(name: str) -> list[str]:
    """The units that a column's name promises."""
    return [unit for part, unit in UNITS.items() if re.search(rf"{part}(_|$)", name)]
