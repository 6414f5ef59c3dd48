"""The nights of a case whose source is a table of somebody's, for the tests of extract."""

import json
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest
from sqlalchemy import create_engine

from pipelines.core import cases
from pipelines.core.registry import EXTRACT
from pipelines.core.settings import Settings
from pipelines.core.stage import Context
from pipelines.data.extract import job
from pipelines.data.extract.tables import Label, Rows, Shape, Table
from pipelines.data.reading.files import FileTable
from pipelines.use_cases import find
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Column, Feed

FEED = Feed(
    name="rows",
    description="",
    format="parquet",
    columns=(
        Column("id", "string", ""),
        Column("late", "boolean", "", optional=True),
        Column("event_at", "timestamp", ""),
        Column("known_at", "timestamp", ""),
    ),
    key=("id",),
)
CASE = replace(find("flight_delays"), name="parcels", feeds=(FEED,))
SHAPE = Shape(
    columns={"ID": "id", "Late": "late"},
    event_at="At",
    label=Label("Late", "yes", "no"),
    begins=date(2026, 3, 1),
)
HEADER = "ID,Late,At\n"


class Nights:
    """The nights of a case whose source is a table."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.table: Table
        self.shape = SHAPE
        self.home = home
        monkeypatch.setattr(cases, "source", lambda _: SimpleNamespace(source=self._source))

    def _source(self, _: Settings, interval: Interval) -> Rows:
        return Rows(self.table, self.shape, interval)

    def extract(self, key: str) -> tuple[int, int]:
        """Rows and parts that are new."""
        interval = Interval.parse(key)
        lease: Any = SimpleNamespace(commit=nullcontext)
        done = job.run(
            Context(
                settings=Settings(home=self.home, now=interval.end + timedelta(hours=1)),
                case=CASE,
                interval=interval,
                stage=EXTRACT,
                engine=create_engine("sqlite://"),
                attempt=1,
                lease=lease,
            )
        )
        self.read = done.details.read
        return done.rows["rows"], done.details.new_parts

    def landed(self, day: str) -> list[tuple[str, bool | None, datetime]]:
        """Of a day the ids, labels and times of publication, in their order."""
        folder = Path(Settings(home=self.home).objects.landing, "parcels", "rows", day)
        manifest = json.loads((folder / "manifest.json").read_text())
        files = [folder / manifest["version"] / file["name"] for file in manifest["files"]]
        rows = pa.concat_tables([pq.read_table(file) for file in files]).to_pylist()
        return [(row["id"], row["late"], row["known_at"]) for row in rows]


def file_of(folder: Path, *lines: str) -> FileTable:
    (folder / "rows.csv").write_text(HEADER + "".join(f"{line}\n" for line in lines))
    return FileTable(str(folder / "rows.csv"), (folder,))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def late(part: str, placed: str) -> datetime:
    """When a row is known that is found late: a microsecond before the end for each second."""
    end = at(part) + timedelta(days=1)
    return end - (end - at(placed)) / 10**6
