"""Addresses of parts that run elsewhere: whole for those who connect, bare for those who read."""

import os

import pytest

from pipelines import services
from pipelines.core.errors import ServiceUnavailable
from pipelines.core.settings import Settings
from pipelines.services import airflow_server, commands, control, secrets, spark_server
from pipelines.stores import spark as spark_store


@pytest.fixture
def their_spark(tmp_path):
    """Nobody listens there."""
    return Settings(home=tmp_path, spark_remote="sc://127.0.0.1:1/;token=SECRET;use_ssl=true")


def test_s01_status_shows_the_address_of_another_spark_without_its_token(their_spark):
    settings = their_spark.model_copy(update={"postgres": "postgresql://127.0.0.1:1/x"})
    assert commands.service_status(settings)["spark"]["address"] == "sc://127.0.0.1:1/"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("u:SECRET@127.0.0.1:1/x", "u:***@127.0.0.1:1/millrace"),
        ("127.0.0.1:1/x?user=u&password=SECRET", "127.0.0.1:1/millrace?user=u"),
    ],
)
def test_s01_status_shows_the_address_of_another_postgres_without_its_password(
    tmp_path, given, shown
):
    settings = Settings(home=tmp_path, postgres=f"postgresql+psycopg2://{given}")
    address = commands.service_status(settings)["postgres"]["address"]
    assert address == f"postgresql+psycopg2://{shown}"


def test_the_address_of_our_own_spark_is_shown_whole(tmp_path):
    assert Settings(home=tmp_path, spark_port=28002).spark_shown == "sc://127.0.0.1:28002"


def test_s01_a_spark_that_does_not_answer_is_named_without_its_token(their_spark, monkeypatch):
    from pyspark.sql.connect.session import SparkSession

    def _refuse(*_):
        raise OSError("refused")

    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setattr(SparkSession.Builder, "getOrCreate", _refuse)
    with pytest.raises(ServiceUnavailable) as told:
        spark_store.connect(their_spark)
    assert str(told.value) == (
        "no Spark Connect server answers at sc://127.0.0.1:1/: refused; "
        "run `millrace start`, or set MILLRACE_SPARK_REMOTE"
    )


def _catalog(**given):
    found = spark_server.configure(Settings(catalog="postgres", **given))
    prefix = "spark.hadoop.javax.jdo.option.Connection"
    return {name.removeprefix(prefix): found[name] for name in found if name.startswith(prefix)}


@pytest.fixture
def home(tmp_path):
    """With the one secret that Spark needs; a server of others has the password it has."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "spark").write_text("token")
    return tmp_path


@pytest.mark.parametrize(
    ("given", "address", "credentials"),
    [
        ("u:p@db/x", "db:5432/metastore", {"UserName": "u", "Password": "p"}),
        ("u@db:6432/x", "db:6432/metastore", {"UserName": "u"}),
        ("db/x", "db:5432/metastore", {}),
        (
            "u@db/x?sslmode=verify-full&sslrootcert=/etc/our ca.pem",
            "db:5432/metastore?sslmode=verify-full&sslrootcert=%2Fetc%2Four+ca.pem",
            {"UserName": "u"},
        ),
        ("u@[::1]/x", "[::1]:5432/metastore", {"UserName": "u"}),
    ],
)
def test_the_catalogs_address_keeps_its_options_and_invents_no_password(
    home, given, address, credentials
):
    assert _catalog(home=home, postgres=f"postgresql+psycopg2://{given}") == {
        "URL": f"jdbc:postgresql://{address}",
        "DriverName": "org.postgresql.Driver",
        **credentials,
    }


@pytest.mark.parametrize("postgres", ["", "postgresql+psycopg2://u:p@/x?host=/run/postgresql"])
def test_a_catalog_on_postgres_without_a_server_is_refused_in_words(tmp_path, postgres):
    with pytest.raises(ValueError, match=r"set MILLRACE_POSTGRES.*or MILLRACE_CATALOG to derby"):
        Settings(home=tmp_path, catalog="postgres", postgres=postgres)


def test_s01_refused_settings_show_no_password():
    with pytest.raises(ValueError, match="give an absolute path") as refusal:
        Settings(home="home", postgres="postgresql://u:SECRET@h/x")
    assert "SECRET" not in str(refusal.value)


def test_airflows_second_driver_is_told_of_ssl_by_its_own_name(tmp_path):
    secrets.make(Settings(home=tmp_path))
    postgres = "postgresql+psycopg2://u:p@db:5432/x?sslmode=require"
    found = airflow_server.environment(Settings(home=tmp_path, postgres=postgres))
    first, second = (
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC",
    )
    assert found[first] == "postgresql+psycopg2://u:p@db:5432/airflow?sslmode=require"
    assert found[second] == "postgresql+asyncpg://u:p@db:5432/airflow?ssl=require"


@pytest.fixture
def order(monkeypatch):
    """What a start does, in order, without doing it."""
    done = []
    monkeypatch.setattr(control.supervisor, "start", lambda *_: done.append("supervisor"))
    monkeypatch.setattr(control.databases, "make", lambda _: done.append("databases"))
    monkeypatch.setattr(control, "_start_part", lambda _, part: done.append(part.name))
    monkeypatch.setattr(
        control, "_wait", lambda _, parts: done.append([each.name for each in parts])
    )
    return done


@pytest.mark.parametrize(
    ("given", "part", "expected"),
    [
        ({}, "mlflow", [["postgres"], "databases", ["postgres"], "mlflow"]),
        ({}, "spark", [[], "spark"]),
        ({"catalog": "postgres"}, "spark", [["postgres"], "databases", [], "spark"]),
        ({"postgres": ""}, "mlflow", [[], "postgres", ["postgres"], "mlflow"]),
    ],
)
def test_databases_on_a_server_of_others_are_made_before_anything_needs_them(
    tmp_path, order, given, part, expected
):
    theirs = {"postgres": "postgresql+psycopg2://u:p@127.0.0.1:1/x"}
    services.ensure(Settings(home=tmp_path, **(theirs | given)), [part])
    assert order[:-1] == ["supervisor", *expected]
