"""The real servers: up, private, restarted when killed, and gone after a stop."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time

import psutil
import pytest

from pipelines import services
from pipelines.core.settings import Settings
from pipelines.services import processes, supervisor


def _wait_until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.1)


def _program_pid(settings, name):
    return {each["name"]: each["pid"] for each in supervisor.processes(settings)}[name]


def test_health_tells_what_is_up(spark, settings):
    assert services.health(settings)["postgres"] == "up"
    assert services.health(settings)["spark"] == "up"
    assert spark.sql("select sum(id) as total from range(5)").collect()[0]["total"] == 10


def test_ensure_is_cheap_when_all_is_up(spark, settings):
    services.ensure(settings, ["postgres", "spark"])
    took = []
    for _ in range(5):
        began = time.perf_counter()
        services.ensure(settings, ["postgres", "spark"])
        took.append(time.perf_counter() - began)
    assert min(took) < 0.05


def test_s01_secrets_are_readable_by_the_owner_alone(postgres_part):
    assert stat.S_IMODE(postgres_part.secrets.stat().st_mode) == 0o700
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in postgres_part.secrets.iterdir()
    }
    assert modes
    assert set(modes.values()) == {0o600}


def test_s01_postgres_wants_its_password(journal, postgres_part):
    from sqlalchemy import create_engine
    from sqlalchemy.exc import OperationalError

    address = postgres_part.database("millrace").set(password="millrace")
    with pytest.raises(OperationalError, match="password authentication failed"):
        create_engine(address).connect()


def test_r25_a_killed_part_is_restarted(journal, settings):
    if settings.postgres:
        pytest.skip("PostgreSQL is not ours to restart here: shown by the run on the embedded one")
    before = _program_pid(settings, "postgres")
    os.kill(before, signal.SIGKILL)
    _wait_until(lambda: _program_pid(settings, "postgres") not in (0, before))
    _wait_until(lambda: services.health(settings)["postgres"] == "up")
    with journal.connect() as connection:
        assert connection.exec_driver_sql("select count(*) from ops.runs").scalar_one() >= 0


def test_a_busy_port_is_named_with_the_way_out(environment, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "pipelines", "start", "spark"],
            env={**environment, "MILLRACE_HOME": str(tmp_path), "MILLRACE_SPARK_PORT": str(port)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 1
    last = ended.stderr.strip().splitlines()[-1]
    assert f"port {port} for spark is taken by" in last
    assert "MILLRACE_SPARK_PORT" in last
    subprocess.run(
        [sys.executable, "-m", "pipelines", "clean"],
        env={**environment, "MILLRACE_HOME": str(tmp_path)},
        check=True,
        capture_output=True,
    )
    assert not tmp_path.exists()
    tmp_path.mkdir()


@pytest.mark.parametrize("supervisor_dies_first", [False, True])
def test_stop_leaves_no_process(second_home, supervisor_dies_first):
    services.ensure(second_home, ["postgres"])
    session = int(supervisor.pid_file(second_home).read_text())
    server = _program_pid(second_home, "postgres")
    if supervisor_dies_first:
        os.kill(session, signal.SIGKILL)
        _wait_until(lambda: not supervisor.is_up(second_home))
        assert psutil.pid_exists(server)
    services.stop(second_home)
    assert processes.of_home(second_home.home, session) == []
    assert services.health(second_home)["postgres"] == "down"
    services.ensure(second_home, ["postgres"])
    assert services.health(second_home)["postgres"] == "up"


@pytest.fixture
def second_home(tmp_path):
    # pytest's path is longer than a Unix socket's may be: the short link is tried as well.
    other = Settings(home=tmp_path / ("long" * 20))
    yield other
    services.clean(other)
