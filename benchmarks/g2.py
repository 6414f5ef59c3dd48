"""G2: process start to the first Spark result of a stage, against a stock Delta session.

Warm: the platform's Spark Connect server is up, as it is for every stage. Cold: it has to be
started first. Both count the rows of the same Delta table, which must agree.
"""

import sys

from benchmarks.harness import Timings, own_platform, report
from pipelines import services
from pipelines.core.settings import Settings
from pipelines.stores import spark

PAIRS = 5
ROWS = 100_000
TABLE = "build.g2"

OURS = f"""
from pipelines.core.settings import Settings
from pipelines.stores.spark import connect
print(connect(Settings()).table("{TABLE}").count())
"""

STOCK = """
import os, sys
# Set in this process by our own client; a stock session is no client of a server.
for name in ("SPARK_REMOTE", "SPARK_CONNECT_MODE_ENABLED"):
    os.environ.pop(name, None)
from delta import configure_spark_with_delta_pip
from pyspark.sql import SparkSession
builder = (
    SparkSession.builder.master("local[2]")
    .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
    .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
    .config("spark.ui.enabled", "false")
)
session = configure_spark_with_delta_pip(builder).getOrCreate()
print(session.read.format("delta").load(sys.argv[1]).count())
"""

COLD = (
    """
from pipelines import services
from pipelines.core.settings import Settings
services.ensure(Settings(), ["spark"])
"""
    + OURS
)


def main() -> None:
    """Five interleaved pairs, warm; then as many cold starts of the server."""
    with own_platform() as (settings, environment):
        services.ensure(settings, ["spark"])
        location = make_table(settings)
        warm, cold, stock = Timings("ours, warm"), Timings("ours, cold"), Timings("stock")
        answers = set()
        for _ in range(PAIRS):
            answers.add(warm.run([sys.executable, "-c", OURS], environment))
            answers.add(stock.run([sys.executable, "-c", STOCK, location], environment))
        for _ in range(PAIRS):
            services.stop(settings)
            answers.add(cold.run([sys.executable, "-c", COLD], environment))
    equal = answers == {str(ROWS)}
    packages = ("pyspark", "delta-spark")
    report("g2_warm", warm, [stock], {"stock": 1 / 20}, equal, packages)
    report("g2_cold", cold, [stock], {"stock": 1 / 3}, equal, packages)


def make_table(settings: Settings) -> str:
    """The table that both count; where its files are."""
    session = spark.connect(settings)
    session.sql("create schema if not exists build")
    session.range(ROWS).write.format("delta").mode("overwrite").saveAsTable(TABLE)
    location = str(session.sql(f"describe detail {TABLE}").collect()[0]["location"])
    session.stop()
    return location


if __name__ == "__main__":
    main()
