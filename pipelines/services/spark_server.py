"""The Spark Connect server: the only JVM, which alone owns the catalog and the lake."""

import os
import sys
from pathlib import Path

from sqlalchemy import URL

from pipelines.core.settings import Settings
from pipelines.services import jars, java, secrets
from pipelines.services.program import Program

_SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"


def prepare(settings: Settings) -> None:
    """Fetch the jars, make the folders, write the server's settings."""
    jars.ensure(settings)
    for folder in (_folder(settings) / "tmp", Path(settings.objects.warehouse)):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A file, because an argument list can be read by every user, and passwords are among them.
    lines = [f"{name} {value}\n" for name, value in configure(settings).items()]
    secrets.write(_properties(settings), "".join(lines))


def program(settings: Settings) -> Program:
    """The server, with the JVM started directly."""
    classes = [str(java.SPARK_HOME / "jars" / "*"), *map(str, jars.paths(settings))]
    submit = ["org.apache.spark.deploy.SparkSubmit", "--class", _SERVER, "--properties-file"]
    argv = [str(java.JAVA), *jvm_options(settings), "-cp", ":".join(classes), *submit]
    return Program(
        (*argv, str(_properties(settings)), "spark-internal"),
        {
            "JAVA_HOME": str(java.JAVA_HOME),
            "SPARK_HOME": str(java.SPARK_HOME),
            # Where the web page binds.
            "SPARK_LOCAL_IP": settings.host,
            # Read when the server starts; per session it is refused.
            "PYSPARK_PYTHON": sys.executable,
        },
        folder=_folder(settings),
    )


def configure(settings: Settings) -> dict[str, str]:
    """Spark's settings, secrets among them."""
    cores = str(os.cpu_count() or 2)
    return {
        "spark.master": f"local[{cores}]",
        "spark.app.name": "millrace",
        # Driver and executor are one process: nobody else talks to its block manager.
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.connect.authenticate.token": settings.secret("spark"),
        "spark.connect.grpc.binding.address": settings.host,
        "spark.connect.grpc.binding.port": str(settings.spark_port),
        "spark.ui.port": str(settings.spark_ui_port),
        # A busy port is an error, not a reason to take the next one.
        "spark.port.maxRetries": "0",
        "spark.local.dir": str(_folder(settings) / "tmp"),
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.catalogImplementation": "hive",
        "spark.sql.warehouse.dir": settings.objects.warehouse,
        **_catalog(settings),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": cores,
        # The state of a small table's log: 50 tasks by default.
        "spark.databricks.delta.snapshotPartitions": cores,
        # A stage that was killed stops its queries, too: by default they go on for 5 minutes,
        # beside the retry. A client that lives has its stream back within a second.
        "spark.connect.execute.manager.detachedTimeout": "20s",
        "spark.connect.execute.manager.maintenanceInterval": "5s",
        # What the web page remembers is memory: 1,000 jobs and stages by default.
        "spark.ui.retainedJobs": "200",
        "spark.ui.retainedStages": "200",
        "spark.sql.ui.retainedExecutions": "100",
    }


def _catalog(settings: Settings) -> dict[str, str]:
    connection = "spark.hadoop.javax.jdo.option.Connection"
    if settings.catalog == "derby":
        derby = f"jdbc:derby:;databaseName={_folder(settings) / 'catalog'};create=true"
        return {f"{connection}URL": derby}
    address = settings.database("metastore")
    # What is not given stays away: the driver would take a word for it.
    credentials = {"UserName": address.username, "Password": address.password}
    given = {f"{connection}{name}": str(value) for name, value in credentials.items() if value}
    return {
        f"{connection}URL": _jdbc(address),
        f"{connection}DriverName": "org.postgresql.Driver",
        **given,
        # Spark ships no script that makes its tables, so the server makes each when it first needs
        # it; without foreign keys, because adding one waits for ever for the very transaction that
        # needs the table. This server is the catalog's only writer.
        "spark.hadoop.datanucleus.schema.autoCreateTables": "true",
        "spark.hadoop.datanucleus.schema.autoCreateColumns": "true",
        "spark.hadoop.datanucleus.schema.autoCreateConstraints": "false",
        "spark.hadoop.hive.metastore.schema.verification": "false",
    }


def _jdbc(address: URL) -> str:
    """Without user and password, which have settings of their own; with options as `sslmode`."""
    bare = URL.create(
        "jdbc:postgresql",
        host=address.host,
        port=address.port or 5432,
        database=address.database,
        query=address.query,
    )
    return bare.render_as_string(hide_password=False)


def jvm_options(settings: Settings) -> list[str]:
    """Memory, time zone, logs.

    Collected by all cores at once while the queries wait: on two cores the first build of a small
    lake and two more took 124 and 139 s, and 144 and 167 s with G1 (Java's default), in turns.
    Both compilers stay on: with the first alone (`TieredStopAtLevel=1`) a fresh server is no faster
    (130 against 131 s, given the code cache of both), though it takes a fifth less of the cores;
    how a server of some hours compares was not measured with that cache.
    """
    return [
        f"-Xmx{settings.spark_memory}",
        "-XX:+UseParallelGC",
        *settings.spark_java_options.split(),
        *java.MODULE_OPTIONS,
        "-Duser.timezone=UTC",
        f"-Djava.io.tmpdir={_folder(settings) / 'tmp'}",
        f"-Dderby.system.home={_folder(settings)}",
        f"-Dderby.stream.error.file={settings.logs / 'derby.log'}",
        f"-Dlog4j2.configurationFile={Path(__file__).with_name('log4j2.properties')}",
    ]


def _properties(settings: Settings) -> Path:
    return _folder(settings) / "spark.properties"


def _folder(settings: Settings) -> Path:
    return settings.home / "spark"
