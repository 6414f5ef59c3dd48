"""The journal's tables through the versions of this code: numbered revisions, only forward.

A revision is one file of `versions/`, named by its number; the newest is the head. A home that is
behind is brought there by the first process that opens its journal; one that is ahead is refused.
"""

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from pipelines.core.errors import NewerHome

_HERE = Path(__file__).parent


@cache
def revisions() -> tuple[str, ...]:
    """The numbers of all revisions, oldest first; without Alembic, whose import takes 0.3 s.

    Example:
        >>> revisions()[0]
        '0001'
    """
    files = (_HERE / "versions").glob("[0-9]*.py")
    return tuple(sorted(path.stem.partition("_")[0] for path in files))


def bring_to_head(engine: Engine) -> None:
    """Upgrade the journal in one transaction; two selects where there is nothing to do.

    Raises:
        NewerHome: it was written by a newer version of this code; nothing was changed.
    """
    with engine.connect() as connection:
        if _revision(connection) == revisions()[-1]:
            return
    with engine.begin() as connection:
        # Two stages may start at once on one journal: the second finds it upgraded.
        connection.execute(text("select pg_advisory_xact_lock(hashtext('millrace:ops'))"))
        found = _revision(connection)
        if found is not None and found not in revisions():
            raise NewerHome(_refusal(engine, found))
        upgrade(connection)


def upgrade(connection: Connection, to: str = "head") -> None:
    """Apply the revisions up to one that a journal lacks, within the connection's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    connection.execute(text("create schema if not exists ops"))
    command.upgrade(config, to)


def _revision(connection: Connection) -> str | None:
    """None: the journal is empty, or older than its revisions."""
    table = "ops.alembic_version"
    if connection.scalar(text(f"select to_regclass('{table}')")) is None:
        return None
    found: str | None = connection.scalar(text(f"select version_num from {table}"))
    return found


def _refusal(engine: Engine, found: str) -> str:
    where = engine.url.query.get("host") or engine.url.host
    return (
        f"the journal in database {engine.url.database} of {where} has revision {found}, and this "
        f"code knows revisions up to {revisions()[-1]}: the home was written by a newer Millrace. "
        "Update this checkout to that version, or set MILLRACE_HOME (with MILLRACE_POSTGRES, where "
        "that is given) to a home of its own; nothing was changed"
    )
