"""How the rows of somebody's table become the rows of a feed; standard library only."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from pipelines.data.extract.labels import Label
from pipelines.data.reading.dialect import RFC_4180, Dialect
from pipelines.data.reading.notation import Notation
from pipelines.use_cases.spec.use_case import Column


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How a source's rows become a feed's.

    Args:
        columns: the feed's column names, by the source's.
        event_at: the source's column of the event's instant.
        label: the source's column of the outcome.
        known_at: the source's column of the row's publication; None: the event itself.
        label_known_at: the source's column of when the outcome became known; None: with the row.
        notations: how values are written, by the source's column; else plainly.
        whole: of the source's columns those of whole numbers that name rows: `1001.0` is `1001`
            there, as pandas writes a number once its column has a gap.
        begins: rows that say they were known before are mistakes, for quarantine.
        late_days: so far back rows are looked for that were not there when their day landed.
    """

    columns: Mapping[str, str]
    event_at: str
    label: Label
    known_at: str | None = None
    label_known_at: str | None = None
    notations: Mapping[str, Notation] = field(default_factory=dict)
    whole: frozenset[str] = frozenset()
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

    def digest(self, columns: tuple[Column, ...], dialect: Dialect = RFC_4180) -> str:
        """Another one where the same source would make other rows.

        Args:
            dialect: of the source's files.
        """
        kinds = [(column.name, column.type) for column in columns]
        notations = sorted((name, _said(each)) for name, each in self.notations.items())
        label = (self.label.column, self.label.positive, self.label.negative)
        names = (sorted(self.columns.items()), self.time_columns, sorted(self.whole))
        spellings = sorted(self.label.spellings.items())
        said = (kinds, names, notations, label, spellings, self.begins, dialect)
        return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


def _said(notation: Notation) -> str:
    """The order of a set changes from process to process."""
    return repr((replace(notation, missing=frozenset()), sorted(notation.missing)))
