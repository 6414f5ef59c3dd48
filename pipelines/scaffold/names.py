"""Column names of any source as lower-case identifiers that no stage uses for itself."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping

from pipelines.core.errors import UsageError

LENGTH_MAX = 40

# What ingest, transform, Feast, assemble and predict call their own columns.
_OURS = """
    event_at known_at known_date ingested_at source_file source_line part_start raw reasons problem
    refusal unknown text failed is_bad place is_batch decided_at decided_on decided_date
    predicted_at label_known_at part model_version interval attempt event_timestamp
    created_timestamp population instant measure value days from_at to_at previous_date valid_until
"""
# The fields of the answers of every task, the unit by which they are drawn (models/tasks), and what
# the champion's evaluation rows call what came of them.
_ANSWERS = "probability prediction low high predicted_class probabilities day label"
# What Spark SQL reads as grammar where a name may stand.
_SQL = """
    all and anti any array as between by case cast cross current_date current_timestamp
    current_user distinct else end except exists false from full group having in inner intersect
    into is join lateral left like limit minus natural not null on or order outer qualify right
    select semi set some struct table then true union unique user using values view when where
    window with yes no off
"""
RESERVED = frozenset(f"{_OURS} {_ANSWERS} {_SQL}".split())
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


def identifier(source: str, case: str) -> str:
    """One column's name as an identifier.

    Example:
        >>> identifier("Loan Amount (EUR)", "loans"), identifier("orderDate", "shop")
        ('loan_amount_eur', 'order_date')
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", ascii_letters(source)).lower()
    name = re.sub(r"[^a-z0-9]+", "_", words).strip("_")[:LENGTH_MAX].strip("_")
    # Entity states are told from a decision's own columns by the case's name in front.
    name = name.removeprefix(f"{case}_") or "column"
    if name[0].isdigit():
        name = f"column_{name}"
    return f"{name}_value" if name in RESERVED else name


def ascii_letters(text: str) -> str:
    """A text without accents, and without the letters that have none without."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


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
        name = f"number_{name.removeprefix('num_')}"
    return name


def refuse_clashes(names: Mapping[str, str]) -> None:
    """Two columns of one name would be one.

    Raises:
        UsageError: names them, and the way out.
    """
    sources = defaultdict(list)
    for source, name in names.items():
        sources[name].append(source)
    for name, found in sources.items():
        if len(found) > 1:
            raise UsageError(
                f"columns {' and '.join(map(repr, found))} would be named {name}, which is taken; "
                "rename one at the source, or leave it out by --without"
            )


def described(source: str, name: str) -> str:
    """A description that says the unit that the name promises; plain letters for SQL and YAML."""
    return ", ".join([f"the source's {plain_words(source) or 'column'}", *units_of(name)])


def plain_words(text: str) -> str:
    """A text as it may stand in any description."""
    return " ".join(re.sub(r"[^A-Za-z0-9 .,%()/+_-]", " ", text).split())[:LENGTH_MAX]


def units_of(name: str) -> list[str]:
    """The units that a column's name promises."""
    return [unit for part, unit in UNITS.items() if re.search(rf"{part}(_|$)", name)]
