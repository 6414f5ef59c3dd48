"""`python -m pipelines.services.containers secrets|state`: what containers find made already.

`secrets` runs before any server, because PostgreSQL and Redis read their passwords once; `state`
when PostgreSQL is up. Both do nothing where all is made already.
"""

import sys

from pipelines.core.settings import Settings
from pipelines.services import databases, first_start, secrets
from pipelines.services.parts import PARTS

# What Redis is told: it keeps what it has acknowledged for a second at most in memory alone, and
# refuses to write rather than forget.
_REDIS = """requirepass {password}
appendonly yes
maxmemory-policy noeviction
"""


def make_secrets(settings: Settings) -> None:
    """Make all secrets, and hand each of the two servers its own in the folder that it mounts."""
    secrets.make(settings)
    first_start.remember(settings)
    secrets.write(settings.home / "postgres" / "password", settings.secret("postgres"))
    redis = _REDIS.format(password=settings.secret("redis"))
    secrets.write(settings.home / "redis" / "redis.conf", redis)


def make_state(settings: Settings) -> None:
    """Make the databases, and what each part needs before it can start."""
    settings.logs.mkdir(mode=0o700, exist_ok=True)
    databases.make(settings)
    for name in ("spark", "airflow", "mlflow"):
        PARTS[name].prepare(settings)


def main() -> None:
    """Do the one that is named."""
    {"secrets": make_secrets, "state": make_state}[sys.argv[1]](Settings())


if __name__ == "__main__":
    main()
