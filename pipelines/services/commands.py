"""`millrace start`, `stop`, `status` and `clean`."""

import json
import logging
from typing import Annotated, Any

import typer

from pipelines import services
from pipelines.core.settings import Settings

log = logging.getLogger(__name__)

PartsArgument = Annotated[
    list[str] | None, typer.Argument(help="postgres, spark, airflow, mlflow; none: all of them")
]


def start(parts: PartsArgument = None) -> None:
    """Start the parts, wait until they are well, and return; does nothing when they are."""
    settings = Settings()
    services.start(settings, parts or None)
    typer.echo(json.dumps(service_status(settings)))


def stop() -> None:
    """Stop every part; state stays."""
    services.stop(Settings())
    typer.echo(json.dumps({"services": "stopped"}))


def clean() -> None:
    """Stop every part and remove all local state."""
    settings = Settings()
    services.clean(settings)
    typer.echo(json.dumps({"removed": str(settings.home)}))


def service_status(settings: Settings) -> dict[str, Any]:
    """The services' part of `millrace status --json`: each one's health and address, no secret."""
    addresses = {
        # Rendered with `***` for the password, unless it is among the options.
        "postgres": str(settings.database("millrace").difference_update_query(["password"]))
        if settings.postgres
        else str(settings.postgres_folder),
        "spark": settings.spark_shown,
        "airflow": settings.airflow_api,
        "mlflow": settings.mlflow_uri,
    }
    return {
        name: {"state": state, "address": addresses[name]}
        for name, state in services.health(settings).items()
    }
