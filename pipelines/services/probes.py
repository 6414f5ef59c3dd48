"""Is a part well? Asked the way its users ask: a connection, an HTTP answer, `pg_isready`."""

import json
import socket
import subprocess
from contextlib import suppress
from urllib.parse import urlsplit

from pipelines.core.settings import Settings
from pipelines.services.postgres_server import ready_command

# A name that nobody knows is an OSError, as a refusal is; one that can't be a name a UnicodeError.
_NO_ANSWER = (OSError, UnicodeError)


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
    parts = _json_object(_get(f"{settings.airflow_api}/api/v2/monitor/health"))
    return bool(parts) and all(_is_healthy(part) for part in parts.values())


def mlflow(settings: Settings) -> bool:
    """The tracking server answers."""
    return _get(f"{settings.mlflow_uri}/health") is not None


def _is_healthy(part: object) -> bool:
    return isinstance(part, dict) and part.get("status") == "healthy"


def _json_object(answer: bytes | None) -> dict[str, object]:
    """What a server said; nothing if it is none of ours, which may say anything."""
    with suppress(ValueError):
        said = json.loads(answer or b"{}")
        return said if isinstance(said, dict) else {}
    return {}


def _get(url: str) -> bytes | None:
    from http.client import HTTPException
    from urllib.request import ProxyHandler, build_opener

    # A proxy from the environment must not see, or refuse, what stays on this machine.
    direct = build_opener(ProxyHandler({}))
    unanswered = suppress(*_NO_ANSWER, HTTPException)
    with unanswered, direct.open(url, timeout=5) as answer:
        return bytes(answer.read())
    return None


def _connects(address: str | tuple[str, int]) -> bool:
    with suppress(*_NO_ANSWER):
        if isinstance(address, tuple):
            socket.create_connection(address, timeout=2).close()
            return True
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            connection.connect(address)
            return True
    return False
