"""What a model answers about, such as a person or a series: one of them is looked at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pipelines.insight.lineage.predictions import key_in_words

# So many can be chosen from a list; any may be asked for.
_LISTED_MAX = 500


@dataclass(frozen=True)
class Subjects:
    """Those that have an answer, and the one that is looked at.

    Args:
        columns: whose values name one.
        listed: the first few hundred of them in words, by how they are asked for.
        total: how many there are.
        asked: the one that is looked at, or that there is not.
        values: its values, by column; None: there is no such one.
    """

    columns: tuple[str, ...]
    listed: Mapping[str, str]
    total: int
    asked: str
    values: Mapping[str, Any] | None

    @property
    def are_all_listed(self) -> bool:
        return self.total == len(self.listed)


def choose(columns: Sequence[str], keys: Sequence[tuple[Any, ...]], asked: str) -> Subjects:
    """The one that is asked for, else the first.

    Example:
        >>> choose(["origin", "carrier"], [("EWR", "UA"), ("JFK", "B6")], "JFK,B6").values
        {'origin': 'JFK', 'carrier': 'B6'}
    """
    named = {key_in_words(key): key for key in keys}
    wanted = asked.strip() or next(iter(named), "")
    found = named.get(wanted)
    values = None if found is None else dict(zip(columns, found, strict=True))
    first = islice(named.items(), _LISTED_MAX)
    listed = {asked_for: ", ".join(map(str, key)) for asked_for, key in first}
    return Subjects(tuple(columns), listed, len(named), wanted, values)
