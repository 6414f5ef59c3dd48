"""The databases that are made on a server of others."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, text

from pipelines.core.errors import MillraceError, ServiceUnavailable
from pipelines.core.settings import Settings
from pipelines.services import databases
from pipelines.services.postgres_server import DATABASES


@pytest.fixture
def latin(postgres_part: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A database of one of our names that somebody made before, in an old encoding."""
    engine = create_engine(postgres_part.database("postgres"), isolation_level="AUTOCOMMIT")
    name = "made_before"
    with engine.connect() as connection:
        like = "encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0"
        connection.execute(text(f"create database {name} {like}"))
    monkeypatch.setattr(databases, "DATABASES", (name,))
    yield name
    with engine.connect() as connection:
        connection.execute(text(f"drop database {name}"))
    engine.dispose()


def ask(engine: Engine, query: str, **values: str) -> str:
    with engine.connect() as connection:
        answer = str(connection.execute(text(query), values).scalar_one())
    engine.dispose()
    return answer


@pytest.mark.parametrize("name", DATABASES)
def test_any_text_comes_back_and_is_sorted_alike_everywhere(postgres_part, name):
    database = postgres_part.database(name)
    assert (
        ask(create_engine(database), "select cast(:said as text)", said="0.1 → 1 €") == "0.1 → 1 €"
    )
    order = "select string_agg(each, ' ' order by each) from unnest(array['a', 'B', 'ä']) each"
    assert ask(create_engine(database), order) == "B a ä"


def test_a_database_that_cannot_hold_every_text_is_refused(postgres_part, latin):
    with pytest.raises(MillraceError, match=f"database {latin} on .* is encoded as LATIN1, not as"):
        databases.make(postgres_part)


@pytest.fixture
def visitor(postgres_part: Settings) -> Iterator[Settings]:
    """The same server by a user who may connect, and nothing else."""
    engine = create_engine(postgres_part.database("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("create role visitor login password 'v'"))
    address = engine.url.set(username="visitor", password="v")
    yield postgres_part.model_copy(
        update={"postgres": address.render_as_string(hide_password=False)}
    )
    with engine.connect() as connection:
        connection.execute(text("drop role visitor"))
    engine.dispose()


def test_a_user_who_may_not_make_databases_is_told_so(visitor, monkeypatch):
    monkeypatch.setattr(databases, "DATABASES", ("not_there",))
    said = r"permission denied to create database; MILLRACE_POSTGRES needs a user who may"
    with pytest.raises(ServiceUnavailable, match=said):
        databases.make(visitor)
