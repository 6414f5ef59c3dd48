"""What counts as down: everything that does not answer as the part would."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest

from pipelines import services
from pipelines.core.settings import Settings
from pipelines.services import probes

# `.invalid` is never given to anybody (RFC 2606); a host can't have an empty label.
NOBODY = ["no-such-host.invalid", "a..b"]


@contextmanager
def _somebody(answer: bytes) -> Iterator[int]:
    """The port of a server that says this to whoever comes, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)

        def _serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = Thread(target=_serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def _http(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@pytest.mark.parametrize("host", NOBODY)
def test_a_server_whose_name_nobody_knows_is_down(tmp_path, host):
    settings = Settings(
        home=tmp_path,
        postgres=f"postgresql+psycopg2://u:p@{host}:5432/x",
        spark_remote=f"sc://{host}:15002",
        airflow_url=f"http://{host}:8080",
        mlflow_url=f"http://{host}:5000",
    )
    assert set(services.health(settings).values()) == {"down"}
    assert set(services.health(settings)) == {"postgres", "spark", "airflow", "mlflow"}


@pytest.mark.parametrize("folder", ["exists", "is not there"])
def test_a_socket_that_nobody_listens_on_is_down(tmp_path, folder):
    postgres = f"postgresql+psycopg2://u:p@/x?host={tmp_path if folder == 'exists' else '/nowhere'}"
    assert not probes.postgres(Settings(home=tmp_path, postgres=postgres))


def test_a_socket_that_somebody_listens_on_is_up(tmp_path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / ".s.PGSQL.5432"))
        server.listen()
        address = f"postgresql+psycopg2://u:p@/x?host={tmp_path}"
        assert probes.postgres(Settings(home=tmp_path, postgres=address))


@pytest.mark.parametrize(
    ("answer", "is_up"),
    [
        (_http(b'{"scheduler": {"status": "healthy"}, "api": {"status": "healthy"}}'), True),
        (_http(b'{"scheduler": {"status": "healthy"}, "api": {"status": "unhealthy"}}'), False),
        (_http(b'{"scheduler": {"status": null}}'), False),
        (_http(b'{"scheduler": "healthy"}'), False),
        (_http(b"{}"), False),
        (_http(b'["healthy"]'), False),
        (_http(b"<html>Welcome</html>"), False),
        (_http(b"\xff"), False),
        (b"SSH-2.0-OpenSSH_9.2\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", False),
        (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", False),
        (b"", False),
    ],
)
def test_airflow_is_up_when_all_of_it_says_so_and_down_whatever_else_answers(
    tmp_path, answer, is_up
):
    with _somebody(answer) as port:
        assert probes.airflow(Settings(home=tmp_path, airflow_port=port)) is is_up
