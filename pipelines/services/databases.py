"""The databases on a PostgreSQL server that is not ours."""

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError

from pipelines.core.errors import MillraceError, ServiceUnavailable
from pipelines.core.settings import Settings
from pipelines.services.postgres_server import DATABASES

# Spark's catalog; the embedded server keeps it on Derby.
METASTORE = "metastore"


# As the embedded server has them: any text, and the same order everywhere.
_LIKE_OURS = "encoding 'UTF8' lc_collate 'C' lc_ctype 'C' template template0"


def make(settings: Settings) -> None:
    """Make those that are missing; the user of `settings.postgres` has to be allowed to.

    Raises:
        MillraceError: one is there that can't hold every text.
        ServiceUnavailable: the server refuses; says what.
    """
    engine = create_engine(settings.database("postgres"), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            _make_missing(connection)
    except DBAPIError as error:
        said = next(iter(str(error.orig).splitlines()), "")
        raise ServiceUnavailable(
            f"the databases on {engine.url.host} could not be made: {said}; MILLRACE_POSTGRES "
            "needs a user who may connect to the database postgres and create others"
        ) from error
    finally:
        engine.dispose()


def _make_missing(connection: Connection) -> None:
    rows = connection.execute(
        text("select datname, pg_encoding_to_char(encoding) from pg_database")
    )
    there = dict(rows.tuples().all())
    for name in (*DATABASES, METASTORE):
        if name not in there:
            connection.execute(text(f"create database {name} {_LIKE_OURS}"))
        elif there[name] != "UTF8":
            raise MillraceError(
                f"database {name} on {connection.engine.url.host} is encoded as {there[name]}, "
                f"not as UTF8; drop it, or name another server in MILLRACE_POSTGRES"
            )
