"""Which columns differ from what is published where nothing later was known, a query a table."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pipelines.core.outcomes import Moved
from pipelines.core.stage import Context
from pipelines.learning.leaks import rebuild
from pipelines.stores.delta import instant
from pipelines.use_cases.spec.model import DECISIONS
from pipelines.use_cases.spec.use_case import Layer

log = logging.getLogger(__name__)

# A sum of doubles depends on the order of its rows, in the last of 16 digits.
_RELATIVE = 1e-9
# Of a value in an example.
_LONGEST = 120


@dataclass(frozen=True)
class _Table:
    """One table of a case, as it is published and as it was built anew.

    Args:
        types: of the columns that are compared.
    """

    layer: Layer
    name: str
    key: Sequence[str]
    published: str
    rebuilt: str
    types: Mapping[str, str]


def found(context: Context, cuts: Sequence[datetime]) -> tuple[list[Moved], int]:
    """What differs at any of these instants, a column once, and how many rows were compared.

    Raises:
        CheckFailed: a table is not published, or its SQL failed.
    """
    every, compared = list[Moved](), Counter[str]()
    for cut in cuts:
        with rebuild.place(context) as schema:
            rebuild.build(context, schema, cut)
            for layer, name, key in rebuild.tables(context):
                table = _table(context, schema, layer, name, key)
                if table:
                    findings, num_rows = _compared(context, table, cut)
                    every += findings
                    compared[context.case.table(layer, name)] += num_rows
        log.info("as known at %s: %s rows compared so far", cut, f"{compared.total():,}")
    return _merged(every, compared), compared.total()


def _merged(every: Sequence[Moved], compared: Mapping[str, int]) -> list[Moved]:
    """Of each column its first example, and its rows at all instants."""
    by_column: dict[tuple[str, str | None], Moved] = {}
    for each in every:
        place = each.table, each.column
        before = by_column[place].num_rows if place in by_column else 0
        first = by_column.get(place, each)
        by_column[place] = replace(
            first, num_rows=before + each.num_rows, num_compared=compared[each.table]
        )
    return list(by_column.values())


def _table(
    context: Context, schema: str, layer: Layer, name: str, key: Sequence[str]
) -> _Table | None:
    """None: a table of facts that has not the key of its feed, so that no row has its like."""
    published, rebuilt = context.read(layer, name), rebuild.table_in(context, schema, layer, name)
    types = dict(context.spark.table(rebuilt).dtypes)
    there = set(context.spark.sql(f"select * from {published}").columns)
    if not {*key, "known_at"} <= there:
        return None
    left_out = {*key, "known_at", "known_date", "ingested_at"}
    compared = {n: kind for n, kind in types.items() if n in there - left_out}
    return _Table(layer, name, key, published, rebuilt, compared)


def _compared(context: Context, table: _Table, cut: datetime) -> tuple[list[Moved], int]:
    """What differs between the rows since a midnight and those built anew; how many there are."""
    span = _span(context, table, cut)
    same = " and ".join(f"p.`{name}` <=> r.`{name}`" for name in (*table.key, "known_at"))
    counted = ", ".join(_counted(table))
    (found,) = context.spark.sql(f"""
        with published as (
            select *, true as is_there from {table.published} where {span}
        ),
        rebuilt as (
            select *, true as is_there from {table.rebuilt} where {span}
        )
        select count(*) as num_rows, {counted}
        from published as p full outer join rebuilt as r on {same}
    """).collect()  # fmt: skip
    row: Mapping[str, Any] = found.asDict(recursive=True)
    named = enumerate((None, *table.types))
    findings = [
        _finding(context, table, column, row, place, cut)
        for place, column in named
        if row[f"num_{place}"]
    ]
    return findings, row["num_rows"]


def _counted(table: _Table) -> Iterator[str]:
    """Of the rows themselves and of each column, by its place: how many differ, and the first."""
    entity = ", ".join(f"cast(coalesce(p.`{n}`, r.`{n}`) as string)" for n in table.key)
    at = "coalesce(p.known_at, r.known_at)"
    conditions = {"is_there": "p.is_there is null or r.is_there is null"} | {
        name: f"p.is_there and r.is_there and not ({_equal(name, kind)})"
        for name, kind in table.types.items()
    }
    for place, (name, differs) in enumerate(conditions.items()):
        values = ", ".join(f"{_text(f'{of}.`{name}`')} as {of}" for of in ("p", "r"))
        one = f"struct(concat_ws(', ', {entity}) as entity, unix_seconds({at}) as at, {values})"
        yield f"count_if({differs}) as num_{place}"
        first = f"struct({at}, {entity})"
        yield f"min_by({one}, {first}) filter (where {differs}) as one_{place}"


def _text(value: str) -> str:
    return f"left(cast({value} as string), {_LONGEST})"


def _equal(name: str, kind: str) -> str:
    p, r = f"p.`{name}`", f"r.`{name}`"
    if kind.startswith("map"):
        p, r = f"to_json({p})", f"to_json({r})"
    if kind not in ("double", "float"):
        return f"{p} <=> {r}"
    near = f"abs({p} - {r}) <= {_RELATIVE} * greatest(abs({p}), abs({r}))"
    return f"{p} <=> {r} or coalesce({near}, false)"


def _span(context: Context, table: _Table, cut: datetime) -> str:
    """The rows that are compared: a state at a grid instant, or a decision, also at the cut.

    A state at an event holds the event, which is known at that very instant.
    """
    start, end = rebuild.since(cut), instant(cut)
    steps = {state.name for state in context.case.entity_states if state.step_minutes}
    is_at_instants = table.layer == "gold" and table.name in {*steps, DECISIONS}
    dates = f"known_date between date'{start:%Y-%m-%d}' and date'{cut:%Y-%m-%d}'"
    last = f"known_at {'<=' if is_at_instants else '<'} {end}"
    return f"{dates} and known_at > {instant(start)} and {last}"


def _finding(
    context: Context,
    table: _Table,
    column: str | None,
    row: Mapping[str, Any],
    place: int,
    cut: datetime,
) -> Moved:
    one = row[f"one_{place}"]
    published, rebuilt = (_said(one[side], of_row=column is None) for side in ("p", "r"))
    return Moved(
        table=context.case.table(table.layer, table.name),
        column=column,
        num_rows=row[f"num_{place}"],
        num_compared=row["num_rows"],
        cut=cut,
        entity=f"{', '.join(table.key)} {one['entity']}",
        at=datetime.fromtimestamp(one["at"], UTC),
        published=published,
        rebuilt=rebuilt,
    )


def _said(value: str | None, *, of_row: bool) -> str:
    if of_row:
        return "a row" if value else "none"
    return "null" if value is None else value
