"""Airflow's four processes on Postgres, configured by environment variables alone."""

import json
import subprocess
from importlib.metadata import version

from pipelines.core.errors import ServiceUnavailable
from pipelines.core.settings import ROOT, Settings
from pipelines.services import first_start, secrets
from pipelines.services.program import BIN, Program

# Logs are files on this machine, so nobody has to serve them (on all interfaces, by default).
COMMANDS = {
    "airflow-api": ("api-server",),
    "airflow-scheduler": ("scheduler", "--skip-serve-logs"),
    "airflow-dag-processor": ("dag-processor",),
    "airflow-triggerer": ("triggerer", "--skip-serve-logs"),
}


def prepare(settings: Settings) -> None:
    """Write the login file and migrate the database, once per version of Airflow (about 10 s).

    Raises:
        ServiceUnavailable: the migration failed; names its log.
    """
    folder = settings.home / "airflow"
    folder.mkdir(mode=0o700, exist_ok=True)
    secrets.write(
        folder / "passwords.json", json.dumps({"admin": settings.secret("airflow_admin")})
    )
    migrated = folder / "migrated"
    if migrated.exists() and migrated.read_text() == version("apache-airflow"):
        return
    log = settings.logs / "airflow-migrate.log"
    with log.open("w") as output:
        migrate = [str(BIN / "airflow"), "db", "migrate"]
        inherited = program(settings, "airflow-api").full_environment()
        ended = subprocess.run(migrate, env=inherited, stdout=output, stderr=output, check=False)
    if ended.returncode != 0:
        raise ServiceUnavailable(f"Airflow's database could not be migrated; see {log}")
    migrated.write_text(version("apache-airflow"))


def program(settings: Settings, name: str) -> Program:
    """One of the four."""
    return Program(
        (str(BIN / "airflow"), *COMMANDS[name]),
        environment(settings),
        folder=settings.home / "airflow",
    )


def environment(settings: Settings) -> dict[str, str]:
    """Airflow's whole configuration."""
    options: dict[str, dict[str, object]] = {
        "core": _core(settings),
        "api": {
            "host": settings.host,
            "port": settings.airflow_port,
            "base_url": settings.airflow_page,
            "workers": 1,
            "secret_key": settings.secret("airflow_session"),
        },
        "api_auth": {"jwt_secret": settings.secret("airflow_jwt")},
        "database": {
            "sql_alchemy_conn": _database(settings, "postgresql+psycopg2"),
            "sql_alchemy_conn_async": _database(settings, "postgresql+asyncpg"),
        },
        "dag_processor": {"refresh_interval": 10, "parsing_processes": 1},
        "scheduler": {
            # Chained tasks start half a second earlier than by default; 0.1 s took 20 % of a core
            # from everything else.
            "scheduler_idle_sleep_time": 0.5,
            # What died with its scheduler starts again within two minutes; by default after five.
            "orphaned_tasks_check_interval": 60,
        },
        # The first task after a start waits for what the api server makes for it: on a busy machine
        # it took 45 s. By default the task, without a retry, fails after five attempts of 5 s.
        "workers": {"execution_api_timeout": 60},
        "logging": {"base_log_folder": settings.logs / "tasks"},
        "usage_data_collection": {"enabled": False},
    }
    variables = {
        f"AIRFLOW__{section.upper()}__{name.upper()}": str(value)
        for section, values in options.items()
        for name, value in values.items()
    }
    return variables | {
        "AIRFLOW_HOME": str(settings.home / "airflow"),
        "MILLRACE_SCHEDULE_SINCE": first_start.day(settings).isoformat(),
    }


def _core(settings: Settings) -> dict[str, object]:
    return {
        "executor": "LocalExecutor",
        # Each slot is a process of about 150 MB; the default of 32 is for another machine.
        "parallelism": 4,
        "dags_folder": ROOT / "dags",
        "plugins_folder": ROOT / "plugins",
        "load_examples": False,
        "fernet_key": settings.secret("airflow_fernet"),
        "execution_api_server_url": f"{settings.airflow_api}/execution/",
        "simple_auth_manager_users": "admin:admin",
        "simple_auth_manager_passwords_file": settings.home / "airflow" / "passwords.json",
        # The machine's name would be looked up by DNS, which may be slow or absent.
        "hostname_callable": "socket.gethostname",
    }


def _database(settings: Settings, driver: str) -> str:
    address = settings.database("airflow", driver)
    if driver.endswith("asyncpg") and (mode := address.query.get("sslmode")):
        # The same words under another name.
        address = address.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
    # A path needs no quoting here, and alembic's file format would choke on a `%`.
    return address.render_as_string(hide_password=False).replace("%2F", "/")
