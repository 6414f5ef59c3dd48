"""The rows of a training set once more, with the state before the one that each was joined to.

The join is that of training and prediction (`stores/asof.py`) and says which state counts; the one
before it is the same entity's, a step earlier on a grid, or at its previous event.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]

from models.tasks.task import Array, units_of
from pipelines.core import cases
from pipelines.core.stage import Context
from pipelines.stores import asof
from pipelines.stores.asof import States
from pipelines.use_cases.spec.use_case import EntityState


@dataclass(frozen=True)
class Older:
    """The same rows, their states one older, and what the case derives of that.

    Args:
        rows: in the order of the asked ones.
        has_one: by state, whether a row that has a state has an older one as well.
        decided: the columns that come from no state.
    """

    rows: pa.Table
    has_one: Mapping[str, Array]
    decided: Collection[str]

    def comparable(self, name: str) -> Array:
        """The rows in which an input may be compared with its older self.

        What `derive` computes may come from any state.
        """
        state, _, feature = name.partition("__")
        if feature and state in self.has_one:
            return self.has_one[state]
        every: Array = np.all([*self.has_one.values()], axis=0)
        return every


def of(context: Context, rows: pa.Table, decided: Collection[str]) -> Older:
    """Look up the older states of these rows, and derive anew.

    Args:
        decided: the columns of the decisions, of which rows have more.
    """
    case, has_one = context.case, dict[str, Array]()
    prefixes = tuple(f"{state.name}__" for state in case.entity_states)
    known = [n for n in rows.column_names if n in decided or n.startswith(prefixes)]
    asked = rows.select(known)
    before = timedelta(minutes=context.model.online_after_minutes or 0)
    for state in case.entity_states:
        if set(state.keys) <= set(asked.column_names):
            found = _states(context, state, asked, before)
            asked, has_one[state.name] = shifted(asked, found, state, before)
    return Older(cases.models(case.name).derive(asked), has_one, set(decided))


def shifted(
    asked: pa.Table, found: pa.Table, state: EntityState, before: timedelta = timedelta(0)
) -> tuple[pa.Table, Array]:
    """Rows with the features of the state before theirs; which of them have one, if any.

    Args:
        found: the states, in any order.
        before: how long before the rows' instants theirs were asked of (`inputs.as_known`).
    """
    found = found.combine_chunks()
    ttl = timedelta(minutes=state.ttl_minutes)
    states = States(keys={key: key for key in state.keys}, features={}, at="known_at", ttl=ttl)
    then = pc.subtract(asked["known_at"], pa.scalar(before))
    known = asked.select([*state.keys]).append_column("known_at", then)
    place = asof.which(known, found, states, "known_at").fill_null(-1).to_numpy()
    # What has no state has none before it.
    earlier = np.append(_before(found, state), -1)[place]
    places = pa.array(earlier, mask=earlier < 0)
    for name in found.column_names:
        column = f"{state.name}__{name}"
        if column in asked.column_names:
            position = asked.column_names.index(column)
            asked = asked.set_column(position, column, found[name].take(places))
    return asked, (place < 0) | (earlier >= 0)


def _before(found: pa.Table, state: EntityState) -> Array:
    """The place of each state's predecessor of the same entity; -1: there is none."""
    before = np.full(found.num_rows, -1)
    if not found.num_rows:
        return before
    entity = units_of(found, state.keys)
    order = np.lexsort((units_of(found, ("known_at",)), entity))
    is_next = entity[order][1:] == entity[order][:-1]
    before[order[1:][is_next]] = order[:-1][is_next]
    return before


def _states(context: Context, state: EntityState, asked: pa.Table, before: timedelta) -> pa.Table:
    """The published states that count for some row, or stand before one that does."""
    context.read_known("gold", state.name)
    build = context.case.build_table("gold", state.name)
    version = context.reads[context.case.table("gold", state.name)]
    every: Any = context.lake.table(build, version).to_pyarrow_dataset()
    names = [n for n in every.schema.names if f"{state.name}__{n}" in asked.column_names]
    first, last = pc.min_max(asked["known_at"]).as_py().values()
    # One that counts is as old as its time to live at most; the one before it as much again.
    oldest = first - before - 2 * timedelta(minutes=state.ttl_minutes)
    kind = every.schema.field("known_at").type
    at, span = pc.field("known_at"), [pa.scalar(each, kind) for each in (oldest, last)]
    columns = [*state.keys, "known_at", *names]
    return every.to_table(columns=columns, filter=(at >= span[0]) & (at <= span[1]))
