"""Who may look at the whole platform, and from where."""

import httpx
import psutil

from pipelines.services import processes, supervisor

LOOPBACK = ("127.0.0.1", "::ffff:127.0.0.1", "::1")


def _ours(settings):
    pid = int(supervisor.pid_file(settings).read_text())
    return processes.of_home(settings.home, pid)


def test_s02_nothing_listens_beyond_loopback(platform):
    listening = {
        (connection.laddr.ip, connection.laddr.port)
        for process in _ours(platform)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert {platform.airflow_port, platform.mlflow_port} <= {port for _, port in listening}
    assert [place for place in listening if place[0] not in LOOPBACK] == []


def test_s01_airflow_lets_nobody_in_without_the_password(platform):
    def login(password):
        given = {"username": "admin", "password": password}
        return httpx.post(f"{platform.airflow_api}/auth/token", json=given, timeout=30)

    assert login("admin").status_code == 401
    assert login(platform.secret("airflow_admin")).json()["access_token"]
