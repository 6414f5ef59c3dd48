"""What docker-compose.yaml promises, read from the file; `make test-compose` sees it run."""

import re

import yaml

from pipelines.core.settings import ROOT, Settings
from pipelines.services import airflow_server

FILE = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())
SERVICES = FILE["services"]
ENDING = {"secrets", "state"}


def test_every_part_is_there_and_each_program_of_ours_starts_as_without_containers():
    started = {name: service["command"].split()[-1] for name, service in SERVICES.items()}
    for name in (*airflow_server.COMMANDS, "spark", "mlflow"):
        assert SERVICES[name]["command"] == f"python -m pipelines.services.launch {name}"
    assert set(started) - {*airflow_server.COMMANDS, "spark", "mlflow"} == {
        "postgres",
        "redis",
        *ENDING,
    }


def test_every_setting_that_it_gives_is_one():
    known = {f"MILLRACE_{name.upper()}" for name in Settings.model_fields}
    given = {name for service in SERVICES.values() for name in service.get("environment", {})}
    assert {name for name in given if name.startswith("MILLRACE_")} <= known
    # What the file takes from outside is documented by the same names; one is of containers alone.
    outside = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yaml").read_text()))
    assert outside - known == {"MILLRACE_SPARK_CONTAINER_MEMORY"}
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    assert all(name in runbook for name in outside)


def test_s01_no_password_stands_in_it():
    text = (ROOT / "docker-compose.yaml").read_text()
    assert not re.findall(r"://[^@\s/]+:[^@\s/]+@", text)
    for name, service in SERVICES.items():
        given = service.get("environment", {})
        secret = [key for key in given if re.search("PASSWORD|SECRET|TOKEN", key)]
        assert [key for key in secret if not key.endswith("_FILE")] == [], name


def test_s02_what_is_published_is_on_loopback():
    for name, service in SERVICES.items():
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), name


def test_s09_every_service_is_pinned_limited_watched_and_has_no_rights_to_spare():
    for name, service in SERVICES.items():
        assert re.search(r":[\w.-]*\d[\w.-]*$", service["image"]), name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert "mem_limit" in service, name
        assert "privileged" not in service, name
        assert ("healthcheck" in service) == (name not in ENDING), name
        assert "docker.sock" not in str(service.get("volumes")), name
