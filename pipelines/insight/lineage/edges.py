"""Columns, and how one depends on others: OpenLineage's words for it, and how they compose."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class How(StrEnum):
    """What happens to a column on its way into another, or into which rows there are.

    The first three are *direct*, values become values; the others are *indirect*, they decide
    which value or row it is. Direct ones are ordered: the later one swallows the earlier.
    """

    IDENTITY = "IDENTITY"
    TRANSFORMATION = "TRANSFORMATION"
    AGGREGATION = "AGGREGATION"
    CONDITIONAL = "CONDITIONAL"
    WINDOW = "WINDOW"
    SORT = "SORT"
    FILTER = "FILTER"
    JOIN = "JOIN"
    GROUP_BY = "GROUP_BY"

    @property
    def is_direct(self) -> bool:
        return self in _DIRECT

    def after(self, inner: "How") -> "How":
        """What both are together; indirect once is indirect for ever.

        Example:
            >>> How.IDENTITY.after(How.AGGREGATION), How.TRANSFORMATION.after(How.CONDITIONAL)
            (<How.AGGREGATION: 'AGGREGATION'>, <How.CONDITIONAL: 'CONDITIONAL'>)
        """
        if not self.is_direct:
            return self
        return inner if not inner.is_direct else max(self, inner, key=_DIRECT.index)


_DIRECT = (How.IDENTITY, How.TRANSFORMATION, How.AGGREGATION)


@dataclass(frozen=True, order=True)
class Field:
    """One column of a table, or of what stands for one: landing files, a feature view, a model."""

    table: str
    column: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"


@dataclass(frozen=True, order=True)
class Source:
    """A column that something depends on."""

    field: Field
    how: How


@dataclass(frozen=True)
class Value:
    """What an expression depends on; of a struct also each of its fields."""

    sources: frozenset[Source] = frozenset()
    fields: Mapping[str, "Value"] = field(default_factory=lambda: MappingProxyType({}))

    @classmethod
    def of(cls, fields: Iterable[Field], how: How = How.IDENTITY) -> "Value":
        """What depends on some columns alike."""
        return cls(frozenset(Source(each, how) for each in fields))

    def via(self, how: How) -> "Value":
        """The same after one more step."""
        sources = frozenset(Source(each.field, how.after(each.how)) for each in self.sources)
        return Value(sources, {name: value.via(how) for name, value in self.fields.items()})

    def opaque(self, how: How) -> "Value":
        """The same after a step that leaves no struct."""
        return Value(self.via(how).sources)

    def decided_by(self, others: Iterable["Value"], how: How) -> "Value":
        """The same, and each of its fields, where others decide which value it is."""
        extra = frozenset(source for other in others for source in other.via(how).sources)
        return self._with(extra) if extra else self

    def _with(self, extra: frozenset[Source]) -> "Value":
        fields = {name: value._with(extra) for name, value in self.fields.items()}
        return Value(self.sources | extra, fields)


NOTHING = Value()


def merged(values: Iterable[Value]) -> Value:
    """Any of the values may be the one."""
    found = list(values)
    names = dict.fromkeys(name for value in found for name in value.fields)
    fields = {
        name: merged(value.fields[name] for value in found if name in value.fields)
        for name in names
    }
    return Value(frozenset[Source]().union(*(value.sources for value in found)), fields)


@dataclass(frozen=True)
class Relation:
    """Columns with what each depends on, and what decides which rows there are."""

    columns: Mapping[str, Value]
    rows: frozenset[Source] = frozenset()

    @property
    def everything(self) -> Value:
        """All columns and the rows together, as of a scalar query."""
        decided = Value(self.rows).via(How.CONDITIONAL)
        return merged([*self.columns.values(), decided])
