"""What the services compute before anything is started: configuration, refusals, secrets."""

import configparser
import os
import socket
import stat
from collections import namedtuple
from dataclasses import replace

import pytest

from pipelines import services
from pipelines.core.errors import ServiceUnavailable, UsageError
from pipelines.core.settings import Settings
from pipelines.services import (
    airflow_server,
    control,
    mlflow_server,
    postgres_server,
    preflight,
    secrets,
    spark_server,
    supervisor,
)
from pipelines.services.parts import PARTS, chosen

PROGRAMS = {name: part.programs for name, part in PARTS.items()}


@pytest.fixture
def settings(tmp_path):
    made = Settings(home=tmp_path / "home")
    made.home.mkdir()
    secrets.make(made)
    return made


def _rendered(settings):
    parsed = configparser.RawConfigParser(inline_comment_prefixes=(" ;",))
    parsed.read_string(supervisor.render(settings, PROGRAMS))
    return parsed


def test_every_program_restarts_stops_as_a_group_and_rotates_its_log(settings):
    parsed = _rendered(settings)
    programs = [name for names in PROGRAMS.values() for name in names]
    assert len(programs) == 7
    for name in programs:
        section = dict(parsed[f"program:{name}"])
        assert section["command"].endswith(f" -m pipelines.services.launch {name}")
        assert section["autorestart"] == section["stopasgroup"] == section["killasgroup"] == "true"
        assert section["stdout_logfile"] == f"{settings.logs}/{name}.log"
        assert section["stdout_logfile_maxbytes"] == "10MB"


def test_postgres_is_the_last_to_stop(settings):
    parsed = _rendered(settings)
    order = sorted(PROGRAMS, key=lambda part: int(parsed[f"group:{part}"]["priority"]))
    assert order[0] == "postgres"
    assert parsed["group:airflow"]["programs"] == ",".join(PROGRAMS["airflow"])


def test_a_percent_sign_in_a_path_survives_the_supervisors_format(tmp_path):
    settings = Settings(home=tmp_path / "100%")
    assert f"logfile = {tmp_path}/100%%/logs/supervisord.log" in supervisor.render(settings, {})


def test_s01_no_secret_in_the_supervisors_file_or_in_an_argument_list(settings):
    shown = [supervisor.render(settings, PROGRAMS)]
    shown += [str(spark_server.program(settings).argv), str(mlflow_server.program(settings).argv)]
    shown += [str(airflow_server.program(settings, name).argv) for name in airflow_server.COMMANDS]
    shown += [str(postgres_server.program(settings).argv)]
    for name in secrets.NAMES:
        assert not [text for text in shown if settings.secret(name) in text], name


def test_s01_secrets_are_private_long_and_stay_as_they_are(settings):
    before = {name: settings.secret(name) for name in secrets.NAMES}
    secrets.make(settings)
    assert {name: settings.secret(name) for name in secrets.NAMES} == before
    assert len(set(before.values())) == len(before)
    assert min(map(len, before.values())) >= 16
    assert stat.S_IMODE(settings.secrets.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in settings.secrets.iterdir()} == {0o600}


def test_s01_a_secret_is_private_under_any_umask(tmp_path):
    before = os.umask(0)
    try:
        secrets.write(tmp_path / "key", "abc")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert (tmp_path / "key").read_text() == "abc"


def test_airflow_is_configured_by_its_environment_alone(settings):
    found = airflow_server.environment(settings)
    assert found["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert found["AIRFLOW__CORE__PARALLELISM"] == "4"
    assert found["AIRFLOW__CORE__LOAD_EXAMPLES"] == "False"
    assert found["AIRFLOW__API__HOST"] == "127.0.0.1"
    # A port that is not the default is useless unless the tasks are told of it too.
    assert found["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:8080/execution/"
    assert found["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].endswith(
        f"@/airflow?host={settings.postgres_folder}"
    )
    assert found["MILLRACE_SCHEDULE_SINCE"] == settings.clock().date().isoformat()


def test_settings_reach_the_parts_by_environment(tmp_path):
    given = Settings(home=tmp_path, airflow_port=28081, data_roots=(tmp_path / "in",))
    found = supervisor.environment(given)
    assert found["MILLRACE_HOME"] == str(tmp_path)
    assert found["MILLRACE_AIRFLOW_PORT"] == "28081"
    assert found["MILLRACE_DATA_ROOTS"] == f'["{tmp_path}/in"]'
    assert found[supervisor.MARK] == str(tmp_path)


def test_a_spark_of_somebody_elses_does_not_reach_the_parts(settings, monkeypatch):
    monkeypatch.setenv("SPARK_REMOTE", "sc://elsewhere:15002")
    monkeypatch.setenv("PYSPARK_PYTHON", "/elsewhere/python")
    assert not {"SPARK_REMOTE", "PYSPARK_PYTHON"} & set(supervisor.environment(settings))


def test_a_part_brings_what_it_needs_in_order_of_start():
    assert [part.name for part in chosen(("mlflow",))] == ["postgres", "mlflow"]
    assert [part.name for part in chosen(None)] == list(PARTS)
    with pytest.raises(UsageError, match="no part 'redis'; there is postgres, spark"):
        chosen(("redis",))


def test_a_part_that_runs_elsewhere_is_waited_for_and_never_started(tmp_path):
    with socket.socket() as somebodys:
        somebodys.bind(("127.0.0.1", 0))
        somebodys.listen()
        port = somebodys.getsockname()[1]
        settings = Settings(home=tmp_path / "home", spark_remote=f"sc://127.0.0.1:{port}")
        services.ensure(settings, ["spark"])
    assert not settings.home.exists()


def test_a_part_elsewhere_that_does_not_answer_is_named_with_its_setting(tmp_path, monkeypatch):
    spark_part = replace(PARTS["spark"], timeout_seconds=0)
    monkeypatch.setattr(control, "chosen", lambda _: [spark_part])
    settings = Settings(home=tmp_path, spark_remote="sc://127.0.0.1:1")
    with pytest.raises(ServiceUnavailable, match=r"spark does not answer.*MILLRACE_SPARK_REMOTE"):
        services.ensure(settings, ["spark"])


def test_an_address_without_a_credential_takes_the_secret(settings):
    given = {"home": settings.home, "redis": "redis:6379", "spark_remote": "sc://spark:15002"}
    ours = Settings(postgres="postgresql+psycopg2://u@db/x", **given)
    assert ours.database("feast").password == settings.secret("postgres")
    assert ours.redis_connection() == f"redis:6379,password={settings.secret('redis')}"
    token = settings.secret("spark")
    assert ours.spark_session() == f"sc://spark:15002/;authorization=Bearer%20{token}"
    assert token not in ours.spark_url
    theirs = Settings(
        home=settings.home,
        postgres="postgresql+psycopg2://u:p@db/x",
        redis="redis:6379,password=p",
        spark_remote="sc://spark:443/;token=t;use_ssl=true",
    )
    assert theirs.database("feast").password == "p"
    assert theirs.redis_connection() == theirs.redis
    assert theirs.spark_session() == theirs.spark_remote


def test_a_busy_port_is_named_with_its_holder_and_the_way_out(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = Settings(home=tmp_path, mlflow_port=port)
        words = rf"port {port} for mlflow is taken by .*{os.getpid()}.*MILLRACE_MLFLOW_PORT"
        with pytest.raises(ServiceUnavailable, match=words):
            preflight.check_ports(settings, PARTS["mlflow"])
    preflight.check_ports(settings, PARTS["mlflow"])


def test_r06_a_full_disk_is_refused_at_a_first_start_alone(settings, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(preflight.shutil, "disk_usage", lambda _: usage(0, 0, 2**30))
    with pytest.raises(ServiceUnavailable, match=r"1\.0 GiB free.*MILLRACE_HOME"):
        preflight.check_machine(settings)
    (settings.home / "pg").mkdir()
    preflight.check_machine(settings)


@pytest.mark.parametrize(("system", "machine"), [("Darwin", "arm64"), ("Linux", "aarch64")])
def test_an_unsupported_machine_is_told_so(settings, monkeypatch, system, machine):
    monkeypatch.setattr(preflight.platform, "system", lambda: system)
    monkeypatch.setattr(preflight.platform, "machine", lambda: machine)
    with pytest.raises(ServiceUnavailable, match=f"this is {system} {machine}"):
        preflight.check_machine(settings)


def test_other_ports_than_the_running_ones_are_refused(settings):
    (settings.home / "supervisor").mkdir()
    fixed = settings.model_dump_json(include=set(supervisor.FIXED))
    (settings.home / "supervisor" / "started_with.json").write_text(fixed)
    supervisor.check_unchanged(settings)
    other = Settings(home=settings.home, airflow_port=9999)
    with pytest.raises(ServiceUnavailable, match=r"airflow_port = 8080, not 9999.*millrace stop"):
        supervisor.check_unchanged(other)


def test_a_start_with_other_memory_is_refused_while_all_is_up_and_a_stage_is_not(
    settings, monkeypatch
):
    (settings.home / "supervisor").mkdir()
    fixed = settings.model_dump_json(include=set(supervisor.FIXED))
    (settings.home / "supervisor" / "started_with.json").write_text(fixed)
    monkeypatch.setattr(supervisor, "is_up", lambda _: True)
    monkeypatch.setattr(control, "chosen", lambda _: [replace(PARTS["spark"], probe=bool)])
    services.start(settings)
    other = Settings(home=settings.home, spark_memory="4g")
    services.ensure(other)
    with pytest.raises(ServiceUnavailable, match=r"spark_memory = 2g, not 4g.*millrace stop"):
        services.start(other)


def test_a_long_home_has_a_short_way_to_its_sockets(tmp_path):
    short, long = Settings(home="/srv/millrace"), Settings(home=tmp_path / ("x" * 120))
    assert short.postgres_folder == short.home / "pg"
    assert len(str(long.postgres_folder / ".s.PGSQL.5432")) < 100
    assert long.postgres_folder != Settings(home=tmp_path / ("y" * 120)).postgres_folder
