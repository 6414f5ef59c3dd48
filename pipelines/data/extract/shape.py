"""How the rows of somebody's table become the rows of a feed; standard library only."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from pipelines.data.reading.notation import PLAIN, Notation
from pipelines.use_cases.spec.use_case import Column


@dataclass(frozen=True)
class Label:
    """The column to predict; of a yes or no also the source's two words for true and false.

    Without words its values go on as they are, in the type of the feed's column.

    Raises:
        ValueError: one word without the other.
    """

    column: str
    positive: str | None = None
    negative: str | None = None

    def __post_init__(self) -> None:
        if (self.positive is None) != (self.negative is None):
            raise ValueError(
                f"Label {self.column!r}: positive is {self.positive!r}, negative "
                f"{self.negative!r}; say both words of a yes or no, of other labels neither"
            )

    def in_words(self, notation: Notation) -> Notation:
        """The notation of its column: a yes or no is written in its two words, and only so."""
        if self.positive is None or self.negative is None:
            return notation
        return replace(notation, true=(self.positive,), false=(self.negative,))


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How a source's rows become a feed's.

    Args:
        columns: the feed's column names, by the source's.
        event_at: the source's column of the event's instant.
        label: the source's column of the outcome.
        known_at: the source's column of the row's publication; None: the event itself.
        label_known_at: the source's column of when the outcome became known; None: with the row.
        nulls: further texts that mean *missing* in columns that are not text.
        notations: how values are written, by the source's column; else plainly.
        begins: rows that say they were known before are no rows of this source.
        late_days: so far back rows are looked for that were not there when their day landed.
    """

    columns: Mapping[str, str]
    event_at: str
    label: Label
    known_at: str | None = None
    label_known_at: str | None = None
    nulls: frozenset[str] = frozenset()
    notations: Mapping[str, Notation] = field(default_factory=dict)
    begins: date | None = None
    late_days: int = 28

    @property
    def time_columns(self) -> tuple[str, ...]:
        """The source's columns by which a row belongs to an interval."""
        known = self.known_at or self.event_at
        return (known, self.label_known_at) if self.label_known_at else (known,)

    @property
    def source_columns(self) -> list[str]:
        """Every column of the source that is read, once."""
        return list(dict.fromkeys((*self.columns, self.event_at, *self.time_columns)))

    @property
    def sources(self) -> Mapping[str, str]:
        """The source's column of each of the feed's."""
        named = {ours: source for source, ours in self.columns.items()}
        return named | {"event_at": self.event_at, "known_at": self.time_columns[0]}

    def notation(self, source: str, column: Column | None = None) -> Notation:
        """How a source's column is written, as the feed's column has it."""
        found = self.notations.get(source, PLAIN)
        if column is None or column.type != "string":
            found = replace(found, missing=found.missing | self.nulls)
        return self.label.in_words(found) if source == self.label.column else found

    def digest(self, columns: tuple[Column, ...]) -> str:
        """Another one where the same source would make other rows."""
        kinds = [(column.name, column.type) for column in columns]
        notations = sorted((name, _said(self.notation(name))) for name in self.source_columns)
        said = (kinds, sorted(self.columns.items()), self.time_columns, notations, self.begins)
        return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


def _said(notation: Notation) -> str:
    """The order of a set changes from process to process."""
    return repr((replace(notation, missing=frozenset()), sorted(notation.missing)))
