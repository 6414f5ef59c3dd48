"""The MLflow server: tracking and registry on Postgres, artifacts proxied, no job execution."""

from urllib.parse import urlsplit

from pipelines.core.settings import Settings
from pipelines.services.program import BIN, Program


def prepare(settings: Settings) -> None:
    """Make the artifact folder."""
    (settings.home / "mlflow" / "artifacts").mkdir(mode=0o700, parents=True, exist_ok=True)


def program(settings: Settings) -> Program:
    """One worker; it checks the Host of each request against its addresses."""
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
            **_known_as(settings),
        },
        folder=settings.home / "mlflow",
    )


def _known_as(settings: Settings) -> dict[str, str]:
    """Its names beside loopback's, which it knows by default."""
    if not (settings.mlflow_url or settings.mlflow_public_url):
        return {}
    hosts = (urlsplit(settings.mlflow_uri).netloc, urlsplit(settings.mlflow_page).netloc)
    return {
        "MLFLOW_SERVER_ALLOWED_HOSTS": ",".join(hosts),
        "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS": settings.mlflow_page,
    }
