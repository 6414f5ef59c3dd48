"""The MLflow server: tracking and registry on Postgres, artifacts proxied, no job execution."""

from pipelines.services.program import BIN, Program
from pipelines.settings import Settings


def prepare(settings: Settings) -> None:
    """Make the artifact folder."""
    (settings.home / "mlflow" / "artifacts").mkdir(mode=0o700, parents=True, exist_ok=True)


def program(settings: Settings) -> Program:
    """One worker on loopback; it checks the Host of each request, which is its default."""
    where = ["--host", settings.host, "--port", str(settings.mlflow_port), "--workers", "1"]
    return Program(
        (str(BIN / "mlflow"), "server", *where),
        {
            # In the environment, because an argument list can be read by every user.
            "MLFLOW_BACKEND_STORE_URI": settings.database("mlflow").render_as_string(
                hide_password=False
            ),
            "MLFLOW_ARTIFACTS_DESTINATION": str(settings.home / "mlflow" / "artifacts"),
            # Without it: 2 processes instead of 10, 0.5 instead of 2.3 GB.
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
        },
        folder=settings.home / "mlflow",
    )
