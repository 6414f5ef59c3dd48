"""A session on the Spark Connect server: a light client, no JVM in the stage's process."""

import os
import re
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pipelines.core.errors import CheckFailed, ServiceUnavailable
from pipelines.core.settings import Settings
from pipelines.stores.objects import Objects

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]
    from pyspark.sql import DataFrame
    from pyspark.sql.connect.session import SparkSession

# What a worker raised of ours, as Spark tells it below its own words.
_RAISED = re.compile(r"^models\.errors\.\w+: (.+)$", re.MULTILINE)

# More days are worth compiling.
INTERPRETED_DAYS = 7


def connect(settings: Settings) -> "SparkSession":
    """This process's session on the server that `settings.spark_url` names.

    One process talks to one server: a second call gives the session of the first.

    Raises:
        ServiceUnavailable: nothing answers there.
    """
    # dbt and Feast find the session by this variable; see docs/decisions.
    os.environ["SPARK_REMOTE"] = settings.spark_session()
    # An instant leaves Spark as this process's local time, and Feast writes it without a zone.
    os.environ["TZ"] = "UTC"
    time.tzset()
    # `pyspark.sql.functions` looks for a JVM in this process without it.
    os.environ["SPARK_CONNECT_MODE_ENABLED"] = "1"
    warnings.filterwarnings("ignore", module=r"pyspark\..*")
    from pyspark.errors import PySparkException
    from pyspark.sql.connect.client.retries import DefaultPolicy
    from pyspark.sql.connect.session import SparkSession

    try:
        session = SparkSession.builder.remote(settings.spark_session()).getOrCreate()
        # About half a minute, so that a stage whose server died fails, and Airflow runs it again
        # on the restarted one; the default asks for ten minutes, and once more at exit.
        session.client.set_retry_policies([DefaultPolicy(max_retries=8, max_backoff=8000)])
        session.conf.set("spark.sql.session.timeZone", "UTC")
        # dbt turns it off in the session that it finds: the next stage of this process would take
        # a null array for one of size -1, and keep rows that are none.
        session.conf.set("spark.sql.ansi.enabled", True)
    except (PySparkException, OSError) as error:
        raise ServiceUnavailable(
            f"no Spark Connect server answers at {settings.spark_shown}: {error}; "
            "run `millrace start`, or set MILLRACE_SPARK_REMOTE"
        ) from error
    return session


def compile_expressions(session: "SparkSession", days: int) -> None:
    """Have expressions compiled, or interpreted where the rows of so few days are sooner through.

    One day of flight_delays, in CPU seconds of a fresh server: ingest 75 instead of 96, the check
    of its tables 40 instead of 47.
    """
    compiled = days > INTERPRETED_DAYS
    session.conf.set("spark.sql.codegen.wholeStage", compiled)
    session.conf.set("spark.sql.codegen.factoryMode", "FALLBACK" if compiled else "NO_CODEGEN")


@contextmanager
def handed(
    session: "SparkSession", table: "pa.Table", store: Objects, name: str
) -> Iterator["DataFrame"]:
    """A table of this process as a frame, to be read before the block ends.

    It goes by an object of that name, the only one of its store, which is removed: sent within the
    request, the 160 MB of 90 days took the server's heap.
    """
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    with TemporaryDirectory(prefix="millrace-") as folder:
        file = Path(folder, "table.parquet")
        # Some row groups for some tasks, where a table is large at all.
        pq.write_table(table, file, row_group_size=50_000)
        store.keep_only(())  # what a killed process has left
        store.put_file(name, file)
    try:
        yield session.read.parquet(store.address(name))
    finally:
        store.keep_only(())


@contextmanager
def in_words(what: str) -> Iterator[None]:
    """What a worker refused is told by its own line, without Spark's traceback.

    Raises:
        CheckFailed: a worker raised an error of the models.
    """
    from pyspark.errors import PySparkException

    try:
        yield
    except PySparkException as error:
        raised = _RAISED.findall(str(error))
        if not raised:
            raise
        raise CheckFailed(f"{what}: {raised[-1]}") from error
