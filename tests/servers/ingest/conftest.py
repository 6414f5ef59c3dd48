"""A small case of one CSV and one JSON feed, with tables and landing files of its own."""

import json
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from expectations.rules import Between, Matches, NotNull, Rule
from pipelines.core import runner
from pipelines.core.registry import INGEST
from pipelines.core.settings import Settings
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Column, Feed, Layer, UseCase

_TIMES = (Column("event_at", "timestamp", "measured"), Column("known_at", "timestamp", "published"))
READINGS = Feed(
    name="readings",
    description="What sensors measured",
    format="csv",
    columns=(
        Column("sensor", "string", "its name"),
        Column("celsius", "double", "temperature"),
        Column("count", "int", "measurements"),
        Column("is_indoor", "boolean", "under a roof", optional=True),
        *_TIMES,
    ),
    key=("sensor", "event_at"),
)
ALARMS = Feed(
    name="alarms",
    description="What went wrong",
    format="jsonl",
    columns=(
        Column("sensor", "string", "its name"),
        Column("level", "int", "1 to 5"),
        Column("built_on", "date", "of the sensor", optional=True),
        *_TIMES,
    ),
    key=("sensor",),
)
RULES: dict[str, tuple[Rule, ...]] = {
    "readings": (
        Between("celsius", -50, 60, because="weather on Earth"),
        NotNull("count", because="a mean needs its weight"),
        Matches("sensor", "[a-z]+[0-9]+", because="sensors are numbered"),
    ),
    "alarms": (Between("level", 1, 5, because="five levels"),),
}


@dataclass(frozen=True)
class Desk:
    """Lands files, ingests them and reads the tables, for one case."""

    settings: Settings
    case: UseCase
    spark: Any

    day = "2026-11-18"
    header = "sensor,celsius,count,is_indoor,event_at,known_at"

    def reading(
        self, sensor: str = "s1", celsius: str = "20.5", count: str = "3", **at: str
    ) -> str:
        event_at = at.get("event_at", f"{self.day}T10:00:00Z")
        known_at = at.get("known_at", f"{self.day}T10:00:30Z")
        return f"{sensor},{celsius},{count},{at.get('is_indoor', 'true')},{event_at},{known_at}"

    def alarm(self, sensor: str = "s1", **values: Any) -> str:
        at = {"event_at": f"{self.day}T10:00:00Z", "known_at": f"{self.day}T10:00:30Z"}
        return json.dumps({"sensor": sensor, "level": 2, **at, **values})

    def file(self, feed: str) -> Path:
        suffix = self.case.feed(feed).format
        part = Path(self.settings.objects.landing, self.case.name, feed, self.day)
        return part / f"data.{suffix}"

    def land(
        self, readings: Sequence[str], alarms: Sequence[str] = (), header: str = header
    ) -> None:
        """Write the day's files of both feeds."""
        self.land_bytes("readings", "\n".join([header, *readings]).encode())
        self.land_bytes("alarms", "\n".join(alarms).encode())

    def land_bytes(self, feed: str, content: bytes) -> None:
        file, digest = self.file(feed), sha256(content).hexdigest()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        listed = {"name": file.name, "sha256": digest, "bytes": len(content), "rows": 0}
        landed_at = f"{self.day}T23:00:00+00:00"
        manifest = {"feed": feed, "part": self.day, "files": [listed], "landed_at": landed_at}
        (file.parent / "manifest.json").write_text(json.dumps(manifest))

    def ingest(self, key: str = day) -> dict[str, int]:
        """Run the stage; its counts, of which none may be missing."""
        rows: dict[str, int] = runner.run(self.settings, self.case, INGEST, Interval.parse(key))[
            "rows"
        ]
        for feed in ("readings", "alarms"):
            out = [rows[f"{feed}_{what}"] for what in ("kept", "quarantined", "duplicates")]
            assert rows[f"{feed}_in"] == sum(out)
        return rows

    def table(self, layer: Layer, feed: str) -> list[dict[str, Any]]:
        """The rows of a build table, in the order of their source."""
        table = self.spark.table(self.case.build_table(layer, feed))
        return [row.asDict() for row in table.orderBy("source_file", "source_line").collect()]

    def reasons(self, feed: str) -> dict[str, list[str]]:
        """The reasons of each quarantined record, by its text."""
        return {row["raw"]: row["reasons"] for row in self.table("quarantine", feed)}


@pytest.fixture(scope="module")
def desk(settings: Settings, spark: Any) -> Iterator[Desk]:
    name = f"t_{random.SystemRandom().randrange(16**10):x}"
    contract = ModuleType(f"expectations.{name}")
    contract.row_rules = lambda: RULES  # type: ignore[attr-defined]
    contract.table_rules = contract.table_keys = dict  # type: ignore[attr-defined]
    feeds = (READINGS, ALARMS)
    case = UseCase(name=name, description="Sensors", feeds=feeds, silver=(), entity_states=())
    layers: tuple[Layer, ...] = ("bronze", "quarantine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, contract.__name__, contract)
        yield Desk(settings, case, spark)
    for table in (case.build_table(layer, feed.name) for layer in layers for feed in feeds):
        spark.sql(f"drop table if exists {table}")
