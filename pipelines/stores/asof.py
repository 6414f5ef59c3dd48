"""The point-in-time join in process: to each asked row the newest state known then.

A state counts for a row of the same key when `state <= row <= state + ttl`, both ends included, as
Feast says. Of several the newest counts, of equal instants the one created last. A row that no
state counts for stays, its features null. DuckDB's ASOF join says which state, Arrow takes its
columns as they are. `asof_spark` is the same on Spark.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

# Of an engine on disk: a million states of 100 numbers pass through it in pieces.
_MEMORY = "256MB"
# In microseconds; before any instant of a table.
_LONG_AGO = -(2**62)


@dataclass(frozen=True, kw_only=True)
class States:
    """Which columns of one feature view's states are what, and what of them is asked for.

    Args:
        keys: the column of the asked rows for each key column of the states.
        features: the column of the answer for each column of the states.
        at: the instant of a state.
        created: when its row was written; of two states of one instant the later one counts, and
            one that doesn't say it only if there is no other.
        ttl: how long a state counts; None: for ever.
        created_by_then: count only states that say they were created by the asked instant.
    """

    keys: Mapping[str, str]
    features: Mapping[str, str]
    at: str
    created: str | None = None
    ttl: timedelta | None = None
    created_by_then: bool = False

    @property
    def ttl_micros(self) -> int | None:
        """The TTL in microseconds."""
        return self.ttl // timedelta(microseconds=1) if self.ttl else None

    @property
    def waits(self) -> bool:
        """Whether a state may count only later than from its instant on."""
        return self.created_by_then and self.created is not None

    @property
    def ages(self) -> list[str]:
        """The columns that say which of two states is newer."""
        return [self.at, *([self.created] if self.created else [])]


@contextmanager
def engine(**settings: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB in this process; it fetches nothing from anywhere.

    Its zone is UTC, not the machine's: it takes instants of a column without a zone for its own.
    """
    fixed: dict[str, Any] = {"autoinstall_known_extensions": False, "TimeZone": "UTC"}
    with duckdb.connect(config={**fixed, **settings}) as connection:
        yield connection


@contextmanager
def engine_on_disk() -> Iterator[duckdb.DuckDBPyConnection]:
    """The same with memory that does not grow with what it is given; the rest lies on disk."""
    with (
        tempfile.TemporaryDirectory(prefix="millrace-") as folder,
        engine(memory_limit=_MEMORY, temp_directory=folder) as connection,
    ):
        yield connection


def joined(asked: pa.Table, found: pa.Table, states: States, at: str) -> pa.Table:
    """The rows of `asked`, in their order, with what of `found` counts at their instants `at`."""
    found = found.combine_chunks()
    places = which(asked, found, states, at)
    for column, name in states.features.items():
        asked = asked.append_column(name, found[column].take(places))
    return asked


def which(asked: pa.Table, found: pa.Table, states: States, at: str) -> pa.Array:
    """For each row of `asked` the place in `found` of the state that counts; null: none does."""
    rows = {f"k{number}": asked[name] for number, name in enumerate(states.keys.values())}
    known = {f"k{number}": found[name] for number, name in enumerate(states.keys)}
    ages = dict(zip(("since", "created"), (found[name] for name in states.ages), strict=False))
    with engine() as connection:
        connection.register("asked", _numbered({**rows, "moment": asked[at]}))
        connection.register("found", _numbered({**known, **ages}))
        answer = connection.sql(_query(states)).to_arrow_table()
    places = np.full(asked.num_rows, -1)
    places[answer["row"].to_numpy()] = answer["place"].to_numpy()
    return pa.array(places, mask=places < 0)


def _numbered(columns: Mapping[str, pa.ChunkedArray]) -> pa.Table:
    num_rows = len(next(iter(columns.values())))
    return pa.table({**columns, "number": np.arange(num_rows)})


def _query(states: States) -> str:
    """Which row meets which state; rows that meet none may be missing."""
    # Without a key column there is one entity; ASOF wants an equality all the same.
    same = [f"s.k{number} = asked.k{number}" for number, _ in enumerate(states.keys)] or ["s.one"]
    condition = " and ".join([*same, "s.known <= epoch_us(moment)"])
    alive = f"s.since >= epoch_us(moment) - {states.ttl_micros}" if states.ttl else "true"
    return f"""
        select asked.number as row, s.number as place
        from asked asof join ({_candidates(states)}) as s on {condition}
        where {alive}
    """


def _candidates(states: States) -> str:
    known = "greatest(epoch_us(since), epoch_us(created))" if states.waits else "epoch_us(since)"
    every = f"select * replace (epoch_us(since) as since), {known} as known, true as one from found"
    if states.waits:
        every += " where created is not null"
    if not states.created:
        return every
    # What something newer had replaced when it became known never counts, and of those that
    # became known at one instant only the newest does.
    keys = ", ".join(["one", *(f"k{number}" for number, _ in enumerate(states.keys))])
    # In a list, DuckDB takes null for the greatest.
    age = f"[since, coalesce(epoch_us(created), {_LONG_AGO})]"
    return f"""
        from ({every})
        qualify {age} = max({age}) over (
                partition by {keys} order by known, {age} rows unbounded preceding)
            and row_number() over (partition by {keys}, known order by {age} desc) = 1
    """
