"""What the offline store asks of a table's states, in DuckDB's SQL."""

from collections.abc import Sequence
from datetime import UTC, datetime

from feast.feature_view import DUMMY_ENTITY_ID, DUMMY_ENTITY_VAL
from feast.infra.offline_stores.offline_utils import DEFAULT_ENTITY_DF_EVENT_TIMESTAMP_COL

from pipelines.stores.asof import States

TABLE = "states"
_LONG_AGO = "'-infinity'"


def every(
    keys: Sequence[str],
    features: Sequence[str],
    age: Sequence[str],
    start: datetime | None,
    end: datetime | None,
) -> str:
    """All states in [start, end]; `age` are the columns that say which of two is newer."""
    columns = [_quoted(name) for name in dict.fromkeys([*keys, *features, *age])]
    if not keys:
        columns.append(f"'{DUMMY_ENTITY_VAL}' as {_quoted(DUMMY_ENTITY_ID)}")
    return f"select {', '.join(columns)} from {TABLE} where {_between(age[0], start, end)}"


def newest(states: str, keys: Sequence[str], age: Sequence[str]) -> str:
    """Of each entity the newest of these states, in the keys' order; without a key it is of none.

    In that order a page of a tree is written once, not once a batch. The values come through a join
    as they are: a window of DuckDB's makes 0.0 of -0.0.
    """
    # Of two of one instant, one that doesn't say when it was created is the older.
    ages = ", ".join([_quoted(age[0]), *(f"coalesce({_quoted(n)}, {_LONG_AGO})" for n in age[1:])])
    named = [_quoted(key) for key in keys]
    same = " and ".join(f"every.{key} = newest.{key}" for key in named) or "true"
    return f"""
        with every as not materialized ({states})
        select every.* from every semi join (
            select {", ".join([*named, f"max(row({ages})) as age"])} from every group by all
        ) as newest on {same} and row({ages}) = newest.age
        order by {", ".join(named) or "1"}"""


def entities(views: Sequence[States], start: datetime, end: datetime) -> str:
    """Each entity that some view has a state of in [start, end], once, as of `end`.

    A key that a view's entities do not have is null there. The table of a view is named by its
    number, as `table_of` says.
    """
    seen = (_seen(table_of(number), each, start, end) for number, each in enumerate(views))
    return " union by name ".join(seen)


def table_of(number: int) -> str:
    """The table of a view by its place among several."""
    return f"{TABLE}{number}"


def _seen(table: str, states: States, start: datetime, end: datetime) -> str:
    instant = f"{_literal(end)} as {_quoted(DEFAULT_ENTITY_DF_EVENT_TIMESTAMP_COL)}"
    keys = [f"{_quoted(column)} as {_quoted(name)}" for column, name in states.keys.items()]
    # A state without a key is of no entity.
    whole = [f"{_quoted(column)} is not null" for column in states.keys]
    where = " and ".join([_between(states.at, start, end), *whole])
    return f"select distinct {', '.join([instant, *keys])} from {table} where {where}"


def _between(column: str, start: datetime | None, end: datetime | None) -> str:
    bounds = [(">=", start), ("<=", end)]
    signs = [f"{_quoted(column)} {sign} {_literal(at)}" for sign, at in bounds if at]
    return " and ".join(signs) or "true"


def _quoted(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def _literal(at: datetime) -> str:
    """An instant; one without a zone is UTC, as everywhere in Feast."""
    utc = at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    return f"timestamptz '{utc:%Y-%m-%d %H:%M:%S.%f}+00'"
