"""The golden tables: small files of one trouble each, and what becomes of them.

Each folder of `tests/golden/tables` is a family of troubles; its `expected.yaml` says of every file
or folder beside it what `Expected` has. `README.md` there says how to read and add one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import yaml

from pipelines.core.settings import Settings
from pipelines.data.extract.publications import INSTANT, PLACED, Publishing
from pipelines.data.extract.tables import located, published
from pipelines.data.reading.batches import FILE, LINE, PROBLEM
from pipelines.data.reading.rows import FAILED, schema
from pipelines.scaffold.ask import Ask
from pipelines.scaffold.infer import Proposal
from pipelines.scaffold.new import absolute, proposed
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Column, Feed

FOLDER = Path(__file__).parent / "golden" / "tables"
NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
# What is asked of a table unless its entry says otherwise.
ASKED: Mapping[str, Any] = {
    "name": "parcels",
    "key": ("parcel_id",),
    "event_time": "booked_at",
    "label": "late",
}


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What one table is, and what becomes of it.

    Args:
        about: the trouble, in a sentence.
        options: what the person says of it, by the names of `Ask`; `table` is that of a database.
        rows: how many records it has, counted by hand.
        told: pieces of what `millrace new` says of it.
        silent: pieces that it must not say.
        names: our names by the source's, of the columns where they are not the same.
        types: of columns, by our names.
        values: of columns, by our names, the first values of the good rows or all; every other
            column that `plain.csv` has, too, holds what it has there.
        labels: how many rows of the sample have each label.
        quarantined: the bad records: their `line`, of a folder the `file`, and a piece of `why`.
        duplicates: how many good rows have the key of another that is published the same day.
        left_out: the columns that are not read.
        refused: the pieces of what it is refused with; then all else says nothing.
    """

    name: str
    path: Path
    about: str
    options: Mapping[str, Any] = field(default_factory=dict)
    rows: int = 48
    told: Sequence[str] = ()
    silent: Sequence[str] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    labels: Mapping[str, int] = field(default_factory=dict)
    quarantined: Sequence[Mapping[str, Any]] = ()
    duplicates: int = 0
    left_out: Sequence[str] = ()
    refused: Sequence[str] = ()

    @property
    def location(self) -> str:
        """As a person says it by --from."""
        table = self.options.get("table")
        return absolute(f"sqlite:///{self.path}#{table}" if table else str(self.path))

    @property
    def ask(self) -> Ask:
        """What the person says."""
        said = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in self.options.items()
            if name != "table"
        }
        return Ask(location=self.location, **{**ASKED, **said})


def expected() -> Iterator[Expected]:
    """Every entry of every family."""
    for listed in sorted(FOLDER.glob("*/expected.yaml")):
        for name, entry in yaml.safe_load(listed.read_text(encoding="utf-8")).items():
            yield Expected(name=name, path=listed.parent / name.split(",")[0], **entry)


@dataclass(frozen=True)
class Row:
    """A landed row: its place in the source, its values, and why it is bad; None: it is good."""

    part: str
    file: str
    line: int
    values: Mapping[str, Any]
    bad: str | None


def proposal_of(table: Expected) -> Proposal:
    """What `millrace new` would propose on the day of the clock."""
    settings = Settings(now=NOW)  # type: ignore[call-arg]
    return proposed(table.ask, table.location, settings)


def feed_of(proposal: Proposal) -> Feed:
    """The feed of the case that would be written."""
    inputs = (
        Column(e.name, e.type, "", optional=not e.always and e.name not in proposal.key)
        for e in proposal.inputs
    )
    times = (Column("event_at", "timestamp", ""), Column("known_at", "timestamp", ""))
    label = Column(proposal.label, proposal.target.type, "", optional=True)
    columns = (*inputs, label, *times)
    return Feed(name="rows", description="", format="parquet", columns=columns, key=proposal.key)


def landed(table: Expected, proposal: Proposal) -> Sequence[Row]:
    """All rows of the table as they land, each judged as ingest does, in the source's order."""
    settings = Settings(now=NOW, data_roots=(FOLDER,))  # type: ignore[call-arg]
    source = located(settings, "parcels", table.location, proposal.dialect)
    feed = feed_of(proposal)
    publishing = Publishing(shape=proposal.shape, columns=feed.columns, now=NOW)
    typed = schema(feed).append(pa.field(PLACED, INSTANT))
    rows = [
        _row(row, feed, proposal)
        for batch in published(source, publishing)
        for row in batch.select(typed.names).cast(typed).to_pylist()
    ]
    return sorted(rows, key=lambda row: (row.file, row.line, row.part))


def _row(row: Mapping[str, Any], feed: Feed, proposal: Proposal) -> Row:
    part = Interval.of_day(row[PLACED].date())
    values = {name: row[name] for name in feed.column_names}
    bad = next(_reasons(row, part, feed, proposal), None)
    return Row(part.key, row[FILE], row[LINE], values, bad)


def _reasons(
    row: Mapping[str, Any], part: Interval, feed: Feed, proposal: Proposal
) -> Iterator[str]:
    """Why ingest would send a row to quarantine; `tests/servers` holds ingest itself against it."""
    if row[PROBLEM]:
        yield row[PROBLEM]
    yield from (f"{name}: {text}" for name, text in row[FAILED].items() if text is not None)
    needed = (*feed.key, "event_at", "known_at")
    yield from (f"{name}: missing" for name in needed if row[name] is None)
    if not part.start <= row["known_at"] < part.end:
        yield f"known_at: {row['known_at']} is not of its day"
    if row["event_at"] > row["known_at"]:
        yield f"event_at: {row['event_at']} is after it was known"
    limits = {each.name: each.limits for each in proposal.inputs}
    if proposal.target.limits:
        limits[proposal.label] = proposal.target.limits
    for name, each in limits.items():
        if isinstance(row[name], int | float) and each.outside(np.array([row[name]], float))[0]:
            yield f"{name}: {row[name]} is out of its limits"
    label, classes = row[proposal.label], proposal.target.counts
    if proposal.target.task == "multiclass" and label is not None and str(label) not in classes:
        yield f"{proposal.label}: {label} is none of its classes"


def duplicates(rows: Sequence[Row], key: Sequence[str]) -> int:
    """The good rows that are not kept, since another of the same key is of the same day."""
    good = [(row.part, *(row.values[name] for name in key)) for row in rows if row.bad is None]
    return len(good) - len(set(good))


@cache
def plain() -> Mapping[str, Mapping[str, Any]]:
    """The rows of the plain tables by their key, read by hand."""
    return {key: row for path in sorted((FOLDER / "plain").iterdir()) for key, row in _read(path)}


def plain_of(row: Row, place: int, num_rows: int) -> Mapping[str, Any]:
    """What a row holds in the plain table, by its key, or else by its place; empty: nobody knows.

    Args:
        place: among all rows of its table, of which there are so many.
    """
    found = plain().get(row.values.get("parcel_id", ""))
    if found is not None:
        return found
    same = list(_read(FOLDER / "plain" / f"{num_rows}.csv")) if num_rows in _LENGTHS else []
    return same[place][1] if same else {}


_LENGTHS = (48, 60, 200, 900)


@cache
def _read(path: Path) -> Sequence[tuple[str, Mapping[str, Any]]]:
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    rows = (dict(zip(header.split(","), line.split(","), strict=True)) for line in lines)
    return [(row["parcel_id"], _typed(row)) for row in rows]


def _typed(row: Mapping[str, str]) -> Mapping[str, Any]:
    at = datetime.fromisoformat(row["booked_at"]).replace(tzinfo=UTC)
    numbers = {"weight_kg": float(row["weight_kg"]), "price": float(row["price"])}
    others = {"items": int(row["items"]), "late": row["late"] == "1"}
    texts = {name: row[name] for name in ("parcel_id", "depot", "express")}
    return {**texts, **numbers, **others, "event_at": at, "known_at": at}
