"""The databases on a PostgreSQL server that is not ours."""

from sqlalchemy import create_engine, text

from pipelines.services.postgres import DATABASES
from pipelines.settings import Settings

# Spark's catalog; the embedded server keeps it on Derby.
METASTORE = "metastore"


def make(settings: Settings) -> None:
    """Make those that are missing; the user of `settings.postgres` has to be allowed to."""
    engine = create_engine(settings.database("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        there = set(connection.scalars(text("select datname from pg_database")))
        for name in (*DATABASES, METASTORE):
            if name not in there:
                connection.execute(text(f"create database {name}"))
    engine.dispose()
