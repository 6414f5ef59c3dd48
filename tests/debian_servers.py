"""PostgreSQL and Redis as Debian packages them, on loopback, in folders and ports of their own.

`MILLRACE_TEST_SERVERS=debian` starts them; `MILLRACE_TEST_POSTGRES` and `MILLRACE_TEST_REDIS` name
others instead, whose databases of our names and whose keys are removed.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as NoRedis
from sqlalchemy import create_engine, make_url, text

from benchmarks.harness import free_ports
from pipelines.services import databases, postgres_server

WHOSE, GIVEN = "MILLRACE_TEST_SERVERS", "MILLRACE_TEST_POSTGRES"
PASSWORD = "only-for-this-test"
BINARIES = Path("/usr/lib/postgresql/15/bin")


def missing() -> list[str]:
    """The programs that Debian's packages would bring."""
    needed = (str(BINARIES / "postgres"), "redis-server")
    return [program for program in needed if not shutil.which(program)]


@contextmanager
def addresses() -> Iterator[dict[str, str]]:
    """Settings that name the servers; none where the embedded ones are to be tested."""
    if os.environ.get(WHOSE) == "debian":
        with _postgres() as database, redis() as online:
            yield _settings(database, online)
    elif given := os.environ.get(GIVEN):
        _empty(given)
        yield _settings(given, os.environ["MILLRACE_TEST_REDIS"])
    else:
        yield {}


def _settings(database: str, online: str) -> dict[str, str]:
    return {
        "postgres": database,
        "catalog": "postgres",
        "online_store": "redis",
        "redis": online,
    }


def _empty(address: str) -> None:
    engine = create_engine(make_url(address).set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for name in (*postgres_server.DATABASES, databases.METASTORE):
            connection.execute(text(f"drop database if exists {name} with (force)"))
    engine.dispose()


@contextmanager
def _postgres() -> Iterator[str]:
    with _folder("postgres") as (folder, user):
        password = folder / "password"
        password.write_text(PASSWORD)
        # Without a locale its own databases are SQL_ASCII: ours have to say what they need.
        options = ["-U", "millrace", f"--pwfile={password}", "--auth=scram-sha-256", "--no-locale"]
        subprocess.run(
            [BINARIES / "initdb", "-D", folder / "data", *options],
            check=True,
            user=user,
            stdout=subprocess.DEVNULL,
        )
        port = free_ports("server")["server"]
        server = [BINARIES / "postgres", "-D", folder / "data", "-k", folder, "-p", str(port)]
        address = f"postgresql+psycopg2://millrace:{PASSWORD}@127.0.0.1:{port}/postgres"
        with _running(server, user):
            engine = create_engine(address)
            _wait_until(lambda: _answers(lambda: engine.connect().close()))
            engine.dispose()
            yield address


@contextmanager
def redis() -> Iterator[str]:
    with _folder("redis") as (folder, user):
        port = free_ports("server")["server"]
        server = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", folder]
        server += ["--requirepass", PASSWORD, "--appendonly", "yes"]
        with _running(server, user):
            client = Redis(port=port, password=PASSWORD)
            _wait_until(lambda: _answers(client.ping))
            yield f"127.0.0.1:{port},password={PASSWORD}"


@contextmanager
def _folder(user: str) -> Iterator[tuple[Path, str | None]]:
    """A folder of that user's, who runs the server if we are root."""
    folder = Path(tempfile.mkdtemp(prefix="mr-"))
    runs_as = user if os.geteuid() == 0 else None
    if runs_as:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    try:
        yield folder, runs_as
    finally:
        shutil.rmtree(folder)


@contextmanager
def _running(command: list[str | Path], user: str | None) -> Iterator[None]:
    if not shutil.which(command[0]):
        pytest.exit(f"{command[0]} is missing: apt-get install postgresql-15 redis-server", 1)
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, user=user, stdout=quiet, stderr=quiet) as server:
        try:
            yield
        finally:
            # To PostgreSQL a fast end: SIGTERM would wait for every client to go.
            server.send_signal(signal.SIGINT)


def _answers(question: Callable[[], object]) -> bool:
    from sqlalchemy.exc import OperationalError

    try:
        question()
    except (OperationalError, NoRedis):
        return False
    return True


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)
