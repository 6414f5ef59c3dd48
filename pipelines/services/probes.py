"""Is a part well? Asked the way its users ask: a connection, an HTTP answer, `pg_isready`."""

import json
import socket
import subprocess
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from pipelines.services.postgres import ready_command
from pipelines.settings import Settings


def postgres(settings: Settings) -> bool:
    """The server takes connections."""
    if settings.embedded_postgres:
        return subprocess.run(ready_command(settings), check=False).returncode == 0
    address = settings.database("millrace")
    folder = address.query.get("host")
    if isinstance(folder, str) and folder.startswith("/"):
        return _connects(f"{folder}/.s.PGSQL.{address.port or 5432}")
    return _connects((address.host or "localhost", address.port or 5432))


def spark(settings: Settings) -> bool:
    """The Connect server listens; it opens its port last of all."""
    address = urlsplit(settings.spark_url)
    return _connects((address.hostname or settings.host, address.port or 15002))


def airflow(settings: Settings) -> bool:
    """The API answers, and the other three have beaten their hearts in the last 30 seconds."""
    answer = _get(f"{settings.airflow_api}/api/v2/monitor/health")
    parts = json.loads(answer) if answer else {}
    return bool(parts) and all(part["status"] == "healthy" for part in parts.values())


def mlflow(settings: Settings) -> bool:
    """The tracking server answers."""
    return _get(f"{settings.mlflow_uri}/health") is not None


def _get(url: str) -> bytes | None:
    from urllib.request import ProxyHandler, build_opener

    # A proxy from the environment must not see, or refuse, what stays on this machine.
    direct = build_opener(ProxyHandler({}))
    with suppress(OSError), direct.open(url, timeout=5) as answer:
        return bytes(answer.read())
    return None


def _connects(address: Any) -> bool:
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as probe:
        probe.settimeout(2)
        return probe.connect_ex(address) == 0
