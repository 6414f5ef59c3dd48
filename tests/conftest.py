"""One Postgres and one Spark server a session, started when first asked.

`settings`, `environment` start nothing. `postgres_part` and `spark_part` have that part up;
`journal` and `spark` are clients of theirs.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine

from benchmarks.harness import own_platform
from pipelines import services
from pipelines.core.journal import engine
from pipelines.core.settings import Settings
from pipelines.services import databases, supervisor
from tests import debian_servers

if TYPE_CHECKING:
    from pyspark.sql.connect.session import SparkSession


@pytest.fixture(scope="session")
def settings() -> Iterator[Settings]:
    """The session's own home and free ports; everything started for it ends with the session."""
    with (
        debian_servers.addresses() as given,
        own_platform(lock_timeout_seconds=120, **given) as (made, _),
    ):
        if made.postgres:
            databases.make(made)
        yield made
        engine.cache_clear()


@pytest.fixture(scope="session")
def environment(settings: Settings) -> dict[str, str]:
    """For child processes such as `python -m pipelines ...`: the same settings by environment."""
    ours = supervisor.environment(settings)
    return {name: value for name, value in ours.items() if name != "MILLRACE_SUPERVISED"}


@pytest.fixture(scope="session")
def postgres_part(settings: Settings) -> Settings:
    services.ensure(settings, ["postgres"])
    return settings


@pytest.fixture(scope="session")
def spark_part(settings: Settings) -> Settings:
    services.ensure(settings, ["spark"])
    return settings


@pytest.fixture(scope="session")
def journal(postgres_part: Settings) -> Engine:
    """The engine on the journal's database; its `ops` tables exist."""
    return engine(postgres_part)


@pytest.fixture(scope="session")
def spark(spark_part: Settings, journal: Engine) -> "Iterator[SparkSession]":
    """A connected session; the journal is up too, because stages need both."""
    from pipelines.stores import spark as store

    session = store.connect(spark_part)
    yield session
    # Before the server goes: a client of a dead server retries for ten minutes when Python ends.
    session.stop()
