"""A case's bronze tables written by a test, and what the stage `transform` makes of them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine

from pipelines.core import runner
from pipelines.core.registry import TRANSFORM, VALIDATE_FEATURES
from pipelines.core.settings import Settings
from pipelines.data.transform import run as stage
from pipelines.stores.lake import of as lake_of
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Layer, UseCase
from tests.servers.contexts import held_context

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

Row = dict[str, Any]
# Who publishes names an interval: it holds what any test builds.
ANY = Interval.parse("2026-03-01/2026-04-30")


@dataclass(frozen=True)
class Lake:
    """Writes bronze and runs the stage; every build is published, as after its checks."""

    settings: Settings
    spark: "SparkSession"
    engine: Engine
    case: UseCase
    history: Interval = ANY

    def write_bronze(self, feed_name: str, rows: list[Row]) -> list[Row]:
        """Publish these rows as the feed's whole table; returns them as ingest would keep them."""
        feed = self.case.feed(feed_name)
        kept = [
            row
            | {"ingested_at": row["known_at"] + timedelta(hours=1), "source_file": "a.csv"}
            | {"source_line": line, "known_date": row["known_at"].date()}
            for line, row in enumerate(rows, start=2)
        ]
        types = {column.name: column.type for column in feed.columns}
        types |= {"ingested_at": "timestamp", "source_file": "string"}
        types |= {"source_line": "int", "known_date": "date"}
        values = [[row[name] for name in types] for row in kept]
        schema = ", ".join(f"{name} {spark_type}" for name, spark_type in types.items())
        table = self.case.build_table("bronze", feed_name)
        self.spark.sql("create schema if not exists build")
        frame = self.spark.createDataFrame(values, schema)
        frame.write.format("delta").partitionBy("known_date").mode("overwrite").saveAsTable(table)
        self._publish({"bronze": {feed_name: lake_of(self.settings).newest(table) or 0}})
        return kept

    def transform(self, key: str) -> dict[str, Any]:
        """Run the stage for an interval and publish what it built."""
        result = runner.run(self.settings, self.case, TRANSFORM, Interval.parse(key))
        self._publish(
            {
                layer: {
                    name: result["writes"][self.case.table(layer, name)]
                    for name in self.case.tables(layer)
                }
                for layer in stage.LAYERS
            }
        )
        return result

    def rows(self, layer: Layer, name: str) -> list[Row]:
        """All published rows, in a fixed order."""
        table = self.spark.table(self.case.table(layer, name)).toArrow()
        return sorted(table.to_pylist(), key=lambda row: [str(value) for value in row.values()])

    def _publish(self, versions: dict[Layer, dict[str, int]]) -> None:
        arguments = (self.settings, self.engine, self.case, self.history, VALIDATE_FEATURES)
        with held_context(*arguments) as context:
            context.publish(versions)
