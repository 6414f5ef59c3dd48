"""Addresses of parts that run elsewhere: whole for those who connect, bare for those who read."""

import os

import pytest

from pipelines.errors import ServiceUnavailable
from pipelines.services import commands
from pipelines.settings import Settings
from pipelines.stores import spark as spark_store


@pytest.fixture(autouse=True)
def _no_settings_of_the_developers_own(monkeypatch):
    for name in [name for name in os.environ if name.startswith("MILLRACE_")]:
        monkeypatch.delenv(name)


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
