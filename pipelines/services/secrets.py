"""Passwords and keys: made at first start, one file each, readable by the owner alone."""

import base64
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from pipelines.core.settings import Settings

# Airflow's Fernet wants 32 bytes in URL-safe base64; the others may be any long random text.
NAMES: Mapping[str, Callable[[], str]] = {
    "postgres": lambda: secrets.token_urlsafe(24),
    "redis": lambda: secrets.token_urlsafe(24),
    "spark": lambda: secrets.token_urlsafe(24),
    "airflow_admin": lambda: secrets.token_urlsafe(12),
    "airflow_fernet": lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "airflow_jwt": lambda: secrets.token_urlsafe(48),
    "airflow_session": lambda: secrets.token_urlsafe(32),
}


def make(settings: Settings) -> None:
    """Make every secret that is not there yet; those that are stay as they are."""
    settings.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, generate in NAMES.items():
        path = settings.secrets / name
        if not path.exists():
            write(path, generate())


def write(path: Path, content: str) -> None:
    """Write a file that is never, not even for an instant, readable by others or half there."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
    unfinished.replace(path)
