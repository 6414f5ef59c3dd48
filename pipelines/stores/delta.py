"""Delta tables by name, through SQL on Spark Connect: versions, interval writes, publication."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import TYPE_CHECKING

from pipelines.use_cases.spec.interval import Interval

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.connect.session import SparkSession


def instant(at: datetime) -> str:
    """A UTC instant as a literal; whole seconds."""
    return f"timestamp'{at:%Y-%m-%d %H:%M:%S}Z'"


def partition_predicate(interval: Interval) -> str:
    """The literal predicate that selects the facts of an interval, `[start, end)`.

    Partitions come first: a literal date prunes them, and lets two writers on different days both
    commit.
    """
    start, end = instant(interval.start), instant(interval.end)
    return _in_partitions(interval, f"known_at >= {start} and known_at < {end}")


def instants_predicate(interval: Interval) -> str:
    """The same for states at instants, `(start, end]`: midnight belongs to the day that it ends."""
    start, end = instant(interval.start), instant(interval.end)
    return _in_partitions(interval, f"known_at > {start} and known_at <= {end}")


def _in_partitions(interval: Interval, instants: str) -> str:
    """Of whole days the dates say it all."""
    dates = f"known_date between date'{interval.start:%Y-%m-%d}' and date'{interval.last_date}'"
    whole_days = interval.start.time() == interval.end.time() == time.min
    return dates if whole_days else f"{dates} and {instants}"


def replace_interval(
    spark: "SparkSession", frame: "DataFrame", table: str, interval: Interval
) -> None:
    """Replace an interval's rows by those of `frame`, also when there are none.

    Columns are matched by name; the table is made at the first call.
    """
    _make(spark, frame, table, "known_date")
    view = f"incoming_{table.replace('.', '_')}"
    frame.createOrReplaceTempView(view)
    predicate = partition_predicate(interval)
    columns = ", ".join(f"`{name}`" for name in spark.table(table).columns)
    spark.sql(f"insert into {table} replace where {predicate} select {columns} from {view}")


def save(spark: "SparkSession", frame: "DataFrame", table: str, *, anew: bool) -> None:
    """Make the table anew from a frame, rows and columns, or append; older versions stay."""
    make_schema(spark, table.partition(".")[0])
    writer = _plain(frame).write.format("delta").mode("overwrite" if anew else "append")
    writer.option("overwriteSchema" if anew else "mergeSchema", True).saveAsTable(table)


def digest(spark: "SparkSession", table: str) -> str:
    """Of a table's rows, in whatever order: equal digests, equal rows."""
    # A sum of 64-bit hashes leaves 64 bits, which Spark refuses.
    hashes = "select cast(xxhash64(struct(*)) as decimal(38, 0)) as hash"
    found = spark.sql(f"select count(*), sum(hash) from ({hashes} from {table})").collect()[0]
    return ":".join(str(value) for value in found)


def append_new(
    spark: "SparkSession", frame: "DataFrame", table: str, key: Sequence[str], partition_by: str
) -> int:
    """Append the rows whose key the table doesn't have; a new column is added. How many."""
    _make(spark, frame, table, partition_by)
    new = frame.join(spark.table(table).select(*key), list(key), "left_anti").localCheckpoint()
    writer = _plain(new.select(*frame.columns)).write.format("delta").option("mergeSchema", True)
    writer.mode("append").saveAsTable(table)
    return new.count()


def publish(spark: "SparkSession", build: str, name: str, version: int) -> None:
    """Point the published view at one version of its build table."""
    spark.sql(f"create or replace view {name} as select * from {build} version as of {version}")


def reset(spark: "SparkSession", build: str, published: int | None) -> None:
    """Put a build table back to what is published, so that no unproven rows are built upon."""
    if published is None:
        spark.sql(f"drop table {build}")
    else:
        spark.sql(f"restore table {build} to version as of {published}")


def make_plain(spark: "SparkSession", table: str) -> None:
    """Write a table's schema once more, its strings as other readers know them; no row moves."""
    columns = ", ".join(f"`{name}` {kind}" for name, kind in spark.table(table).dtypes)
    spark.sql(f"alter table {table} replace columns ({columns})")


def _make(spark: "SparkSession", frame: "DataFrame", table: str, partition_by: str) -> None:
    """Make an empty table for a frame's rows, where it isn't there."""
    if not spark.catalog.tableExists(table):
        make_schema(spark, table.partition(".")[0])
        _plain(frame.limit(0)).write.format("delta").partitionBy(partition_by).saveAsTable(table)


def _plain(frame: "DataFrame") -> "DataFrame":
    """The frame as SQL would make it: what comes from Python has `string collate UTF8_BINARY`,
    which is Spark's own name for `string`, and which no other reader knows.
    """
    return frame.selectExpr(*(f"cast(`{n}` as {kind}) as `{n}`" for n, kind in frame.dtypes))


def make_schema(spark: "SparkSession", name: str) -> None:
    """Make a schema of the catalog, where it isn't there."""
    spark.sql(f"create schema if not exists {name}")
