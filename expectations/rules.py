"""Row rules: one declaration, compiled for Spark (ingest) and for Great Expectations (validate).

As in Great Expectations a null passes every rule but `NotNull`. A rule's `because` is the reason
for its limit; people read it in the quarantine table and on the page of findings.
"""

import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

Scalar: TypeAlias = str | int | float
_FLOAT_MAX = sys.float_info.max


@dataclass(frozen=True, kw_only=True)
class Rule(ABC):
    """What every row must satisfy, and why."""

    because: str

    @property
    @abstractmethod
    def says(self) -> str:
        """The rule in words, such as `humidity_percent must be from 0 to 100`."""

    @property
    @abstractmethod
    def predicate(self) -> str:
        """A Spark SQL expression: true where the row passes, never null."""

    @property
    @abstractmethod
    def expectation(self) -> tuple[str, Mapping[str, Any]]:
        """The name of the Great Expectations class, and its arguments."""

    @property
    def reason(self) -> str:
        """What a row that breaks the rule is told."""
        return f"{self.says}: {self.because}"

    def to_expectation(self) -> "Expectation":
        """The same rule as a Great Expectations expectation."""
        from great_expectations import expectations

        name, arguments = self.expectation
        made: Expectation = getattr(expectations, name)(**arguments, notes=self.because)
        return made


@dataclass(frozen=True)
class NotNull(Rule):
    """The column has a value; with `when=(column, values)` only in the rows where that holds."""

    column: str
    when: tuple[str, tuple[str, ...]] | None = None

    @property
    def says(self) -> str:
        return f"{self.column} must have a value" + (
            f" where {self.when[0]} is {' or '.join(self.when[1])}" if self.when else ""
        )

    @property
    def predicate(self) -> str:
        given = f"coalesce(not {_member(*self.when)}, true) or " if self.when else ""
        return f"({given}{_name(self.column)} is not null)"

    @property
    def expectation(self) -> tuple[str, Mapping[str, Any]]:
        arguments: dict[str, Any] = {"column": self.column}
        if self.when:
            arguments |= {"row_condition": _member(*self.when), "condition_parser": "spark"}
        return "ExpectColumnValuesToNotBeNull", arguments


@dataclass(frozen=True)
class Between(Rule):
    """The number lies within both limits, inclusive, or within the one there is; NaN does not.

    Example:
        >>> Between("odometer_miles", 0, because="it only grows").says
        'odometer_miles must be at least 0'
    """

    column: str
    min: int | float = -_FLOAT_MAX
    max: int | float = _FLOAT_MAX

    def __post_init__(self) -> None:
        if not self.min <= self.max:
            raise ValueError(f"Between({self.column!r}): min {self.min} is above max {self.max}")

    @property
    def says(self) -> str:
        if self.max == _FLOAT_MAX:
            return f"{self.column} must be at least {self.min}"
        if self.min == -_FLOAT_MAX:
            return f"{self.column} must be at most {self.max}"
        return f"{self.column} must be from {self.min} to {self.max}"

    @property
    def predicate(self) -> str:
        # To Spark NaN is greater than every number: also an open end has one.
        return _or_null(f"{_name(self.column)} between {_text(self.min)} and {_text(self.max)}")

    @property
    def expectation(self) -> tuple[str, Mapping[str, Any]]:
        limits = {"min_value": self.min, "max_value": self.max}
        return "ExpectColumnValuesToBeBetween", {"column": self.column, **limits}


@dataclass(frozen=True)
class InSet(Rule):
    """The value is one of those listed."""

    column: str
    values: tuple[str, ...]

    @property
    def says(self) -> str:
        return f"{self.column} must be one of {', '.join(self.values)}"

    @property
    def predicate(self) -> str:
        return _or_null(_member(self.column, self.values))

    @property
    def expectation(self) -> tuple[str, Mapping[str, Any]]:
        return "ExpectColumnValuesToBeInSet", {
            "column": self.column,
            "value_set": list(self.values),
        }


@dataclass(frozen=True)
class Matches(Rule):
    """The whole text matches a regular expression (that Java and Python read alike)."""

    column: str
    pattern: str

    @property
    def regex(self) -> str:
        """Anchored at the text's very ends: `$` alone would let a last newline through."""
        return rf"^(?:{self.pattern})(?![\s\S])"

    @property
    def says(self) -> str:
        return f"{self.column} must match {self.pattern}"

    @property
    def predicate(self) -> str:
        return _or_null(f"{_name(self.column)} rlike {_text(self.regex)}")

    @property
    def expectation(self) -> tuple[str, Mapping[str, Any]]:
        return "ExpectColumnValuesToMatchRegex", {"column": self.column, "regex": self.regex}


@dataclass(frozen=True)
class Ordered(Rule):
    """The first column is not after, or above, the second; unknown where either is null."""

    first: str
    second: str

    @property
    def says(self) -> str:
        return f"{self.first} must not be after {self.second}"

    @property
    def predicate(self) -> str:
        return _or_null(f"{_name(self.first)} <= {_name(self.second)}")

    @property
    def expectation(self) -> tuple[str, Mapping[str, Any]]:
        return "ExpectColumnPairValuesAToBeGreaterThanB", {
            "column_A": self.second,
            "column_B": self.first,
            "or_equal": True,
            "ignore_row_if": "either_value_is_missing",
        }


def _or_null(condition: str) -> str:
    return f"coalesce({condition}, true)"


def _member(column: str, values: tuple[str, ...]) -> str:
    return f"{_name(column)} in ({', '.join(_text(value) for value in values)})"


def _name(column: str) -> str:
    return f"`{column.replace('`', '``')}`"


def _text(value: Scalar) -> str:
    """A Spark SQL literal of exactly this value."""
    if not isinstance(value, str):
        return f"{value!r}D" if isinstance(value, float) else repr(value)
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    # Spark substitutes ${...} in the text of a statement, even inside a literal.
    return "'" + escaped.replace("$", "\\u0024") + "'"
