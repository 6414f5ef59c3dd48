"""Settings come from the environment, once, and can be handed to a process that is started."""

import json
from pathlib import Path

import pytest

from pipelines.core import settings as room
from pipelines.core.settings import Settings


def test_what_a_source_is_told_is_one_setting(monkeypatch):
    told = {"flight_delays": {"calendar": "2013"}, "loans": {"location": "/a.csv", "zone": "UTC"}}
    monkeypatch.setenv("MILLRACE_SOURCES", json.dumps(told))
    monkeypatch.setenv("MILLRACE_SOURCE_LOANS", "/b.csv")
    monkeypatch.setenv("MILLRACE_SOURCE_SHOP", "")
    found = Settings()
    assert found.source("flight_delays") == {"calendar": "2013"}
    assert found.source("loans") == {"location": "/b.csv", "zone": "UTC"}
    assert found.source("shop") == {}
    passed = Settings(sources={"loans": {"location": "/c.csv"}})
    assert passed.source("loans")["location"] == "/c.csv"


def test_settings_with_sources_are_values(monkeypatch):
    monkeypatch.setenv("MILLRACE_SOURCE_LOANS", "/b.csv")
    before = Settings()
    assert before == Settings()
    assert hash(before) == hash(Settings())
    monkeypatch.setenv("MILLRACE_SOURCE_LOANS", "/c.csv")
    assert Settings() != before


@pytest.mark.parametrize("told", ["{", '{"loans": "x"}', '{"loans": {"x": 1}}'])
def test_sources_that_are_no_mapping_of_texts_are_refused(monkeypatch, told):
    monkeypatch.setenv("MILLRACE_SOURCES", told)
    with pytest.raises(ValueError, match="sources"):
        Settings()


def test_settings_with_names_of_their_own_come_by_those_names(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("SSL_CERT_FILE", "/certificates.pem")
    monkeypatch.setenv("OPENLINEAGE_NAMESPACE", "ours")
    found = Settings()
    assert found.cache == tmp_path / "millrace"
    assert found.certificates == Path("/certificates.pem")
    assert found.lineage_namespace == "ours"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("SSL_CERT_FILE", "")
    assert Settings().cache == Path.home() / ".cache" / "millrace"
    assert Settings().certificates is None


def test_a_started_process_gets_the_same_settings(monkeypatch, tmp_path):
    made = Settings(
        home=tmp_path,
        airflow_port=18081,
        data_roots=(tmp_path,),
        sources={"loans": {"location": "/a.csv"}},
        cache_home=tmp_path / "cache",
        lineage_namespace="ours",
    )
    given = made.environment()
    assert given["XDG_CACHE_HOME"] == str(tmp_path / "cache")
    assert given["MILLRACE_AIRFLOW_PORT"] == "18081"
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert Settings() == made


def test_nothing_else_reads_the_environment():
    """But what hands it on to a child, or marks a process as ours."""
    allowed = {
        "core/locations.py",
        "core/settings.py",
        "core/runner.py",  # which task of Airflow it is
        "insight/lineage/emit.py",  # whether OpenLineage's client is configured by its own names
        "learning/train/process.py",
        "scaffold/trial.py",
        "services/control.py",
        "services/program.py",
        "services/supervisor.py",
        "stores/mlflow.py",
        "stores/spark.py",
    }
    pipelines = Path(room.__file__).parents[1]
    reading = {
        path.relative_to(pipelines).as_posix()
        for path in pipelines.rglob("*.py")
        if "os.environ" in path.read_text() or "getenv" in path.read_text()
    }
    assert reading <= allowed
