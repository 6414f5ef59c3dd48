"""What every table of every case must satisfy: suites from names, keys and limits.

The row rules of a case come on top. Names are promises: `num_` is a count, `_rate_` and `_share_`
lie between 0 and 1, whatever the table.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from expectations.rates import CONFIDENCE
from expectations.rules import Between, NotNull, Ordered, Rule

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

_INGEST_COLUMNS = ("ingested_at", "source_file", "source_line", "known_date")
_SHARES = ("rate", "share")


def bronze_suite(
    columns: Sequence[str], key: Sequence[str], part: str, rules: Iterable[Rule]
) -> "list[Expectation]":
    """A feed's kept rows: its columns, one row a key and `part` column, and its row rules again."""
    facts = ("event_at",) if "event_at" in columns else ()
    always: list[Rule] = [
        *(NotNull(name, because="it is part of the row's key") for name in key),
        *(NotNull(name, because="states are computed as known at T") for name in facts),
        NotNull("known_at", because="who could know the row, and when"),
    ]
    if facts:
        always.append(Ordered("event_at", "known_at", because="nobody knows what is to happen"))
    return [
        _expect(
            "ExpectTableColumnsToMatchOrderedList",
            column_list=[*columns, *_INGEST_COLUMNS],
            because="the feed's columns, then ingest's",
        ),
        _unique((*key, part), "a landing part has one row a key: the newest"),
        *_expectations([*always, *rules]),
    ]


def intake_suite(
    quarantine_rate_max: float, num_kept: int, num_quarantined: int
) -> "list[Expectation]":
    """The counted rows of a feed's interval: the gate on bad rows, and the freshness alarm."""
    return [
        _expect(
            "ExpectColumnMaxToBeBetween",
            column="quarantine_rate_at_least",
            max_value=quarantine_rate_max,
            because=f"{num_quarantined:,} of {num_kept + num_quarantined:,} rows are bad; where "
            f"that proves ({CONFIDENCE:.0%}) a rate above {quarantine_rate_max:.1%} the source is "
            "broken, not some rows",
        ),
        _expect(
            "ExpectColumnMaxToBeBetween",
            column="num_parts_without_rows",
            max_value=0,
            severity="warning",
            because="every part of the interval was due: an empty one is a late or silent source",
        ),
        *(
            _expect(
                "ExpectColumnMaxToBeBetween",
                column=name,
                min_value=0,
                severity="info",
                because="for the reader",
            )
            for name in ("num_kept", "num_quarantined", "quarantine_rate")
        ),
    ]


def facts_suite(
    keys: Sequence[str], start: datetime, end: datetime, rules: Iterable[Rule]
) -> "list[Expectation]":
    """Rows that became known in `[start, end)`, one a key and instant."""
    return [
        _unique((*keys, "known_at"), "one row an entity and instant"),
        _expect(
            "ExpectColumnValuesToBeBetween",
            column="known_at",
            min_value=start,
            max_value=end,
            strict_max=True,
            because="a fact belongs to the interval in which it became known",
        ),
        *_expectations([*_present((*keys, "known_at")), *rules]),
    ]


def decisions_suite(
    keys: Sequence[str], start: datetime, end: datetime, rules: Iterable[Rule]
) -> "list[Expectation]":
    """What is decided at instants in `(start, end]`, one row a key and instant."""
    return [
        _unique((*keys, "known_at"), "a decision is taken once"),
        _within(start, end),
        *_expectations([*_present((*keys, "known_at", "is_batch")), *rules]),
    ]


def states_suite(
    keys: Sequence[str],
    start: datetime,
    end: datetime,
    num_instants: int,
    rules: Iterable[Rule],
) -> "list[Expectation]":
    """Entity states of the grid instants in `(start, end]`; `seconds_off_grid` is with the rows."""
    return [
        _unique((*keys, "known_at"), "one state an entity and instant"),
        _within(start, end),
        _expect(
            "ExpectColumnValuesToBeBetween",
            column="seconds_off_grid",
            min_value=0,
            max_value=0,
            because="states are at instants",
        ),
        _expect(
            "ExpectColumnUniqueValueCountToBeBetween",
            column="known_at",
            min_value=num_instants,
            max_value=num_instants,
            severity="warning",
            because="a missing instant is served as an older state until its time to live",
        ),
        *_expectations([*_present((*keys, "known_at")), *rules]),
    ]


def _within(start: datetime, end: datetime) -> "Expectation":
    return _expect(
        "ExpectColumnValuesToBeBetween",
        column="known_at",
        min_value=start,
        max_value=end,
        strict_min=True,
        because="the instant at the end belongs to the interval that just ended",
    )


def training_set_suite(
    keys: Sequence[str], label: str, parts: Sequence[str], num_expected: int, *, labels_later: bool
) -> "list[Expectation]":
    """Labelled decisions; `num_rows_off` is with the rows: how many their part has too many of.

    Args:
        parts: those that must have rows.
        labels_later: whether labels are known to come after their decisions; else a label that
            came before is a warning, because the source may not say when it came.
    """
    return [
        _unique((*keys, "known_at"), "a decision is learned from once"),
        _expect(
            "ExpectTableRowCountToEqual",
            value=num_expected,
            because="the join with what was known neither loses rows nor makes any",
        ),
        _expect(
            "ExpectColumnDistinctValuesToContainSet",
            column="part",
            value_set=list(parts),
            because="there is nothing to learn from, or to stop by, without rows of each",
        ),
        _expect(
            "ExpectColumnValuesToBeBetween",
            column="num_rows_off",
            min_value=0,
            max_value=0,
            because="each part has the rows that were split into it",
        ),
        _expect(
            "ExpectColumnPairValuesAToBeGreaterThanB",
            column_A="label_known_at",
            column_B="known_at",
            or_equal=True,
            severity="critical" if labels_later else "warning",
            because="an outcome that was known before its decision tells the model the answer",
        ),
        *_expectations(_present((*keys, "known_at", label, "label_known_at", "part"))),
    ]


def predictions_suite(
    keys: Sequence[str], answers: Iterable[Rule], num_expected: int
) -> "list[Expectation]":
    """The answers of one model version to an interval's decisions.

    Args:
        answers: what the model's task says of every answer.
    """
    return [
        _unique((*keys, "decided_at"), "a model version answers a decision once"),
        _expect(
            "ExpectTableRowCountToEqual",
            value=num_expected,
            because="every decision of the interval has its answer",
        ),
        *_expectations([*_present((*keys, "decided_at", "predicted_at")), *answers]),
    ]


def snapshot_suite(keys: Sequence[str], rules: Iterable[Rule]) -> "list[Expectation]":
    """A whole dimension table: one row a key."""
    unique = _unique(keys, "one row an entity")
    return [unique, *_expectations([*_present(keys), *rules])]


def promises(columns: Iterable[tuple[str, str]]) -> list[Rule]:
    """What the names of number columns promise; `columns` are names with their Spark types."""
    rules: list[Rule] = []
    for name, spark_type in columns:
        if spark_type not in ("int", "bigint", "float", "double"):
            continue
        if name.startswith("num_"):
            rules.append(Between(name, 0, 10**9, because="a count"))
        elif any(word in name.split("_") for word in _SHARES):
            rules.append(Between(name, 0, 1, because="a share"))
    return rules


def _present(columns: Sequence[str]) -> list[Rule]:
    return [NotNull(name, because="it names the row") for name in columns]


def _expectations(rules: Iterable[Rule]) -> "list[Expectation]":
    """Each rule once: a case may state again what holds for every table."""
    made = {(type(rule), rule.says): rule.to_expectation() for rule in rules}
    return list(made.values())


def _unique(columns: Sequence[str], because: str) -> "Expectation":
    if len(columns) == 1:
        return _expect("ExpectColumnValuesToBeUnique", column=columns[0], because=because)
    names = list(columns)
    return _expect("ExpectCompoundColumnsToBeUnique", column_list=names, because=because)


def _expect(
    name: str, *, because: str, severity: str = "critical", **arguments: Any
) -> "Expectation":
    """An expectation by its class; the pages show `because` as its note."""
    from great_expectations import expectations

    expectation: Expectation = getattr(expectations, name)(
        **arguments, notes=because, severity=severity
    )
    return expectation
