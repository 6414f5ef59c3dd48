"""Where people look: pages of `plugins/`, by what they show, and MLflow's; paths below each app.

Standard library only: Dags import this at parse time.
"""

from urllib.parse import quote, urlencode

from pipelines.core.registry import STAGES


def page(name: str, case: str, interval: str, model: str | None = None) -> str:
    """A page of the section Millrace, on one interval, of one model where the case has several."""
    asked = {"case": case, "interval": interval} | ({"model": model} if model else {})
    return f"/{name}?{urlencode(asked)}"


def reports(stage: str, case: str, interval: str, model: str | None = None) -> dict[str, str]:
    """What people want to see of a stage's attempt: the address of its page, by the link's name.

    Example:
        >>> reports("monitor", "flight_delays", "2026-11-20")
        {'Drift': '/drift?case=flight_delays&interval=2026-11-20'}
    """
    known = STAGES.get(stage)
    if known is None or known.page is None:
        return {}
    link, name = known.page
    return {link: page(name, case, interval, model)}


def registered(case: str, model: str) -> str:
    """The name by which MLflow knows a model of a case.

    Example:
        >>> registered("flight_delays", "late")
        'flight_delays.late'
    """
    return f"{case}.{model}"


def model(registered: str, version: int) -> str:
    """A registered version in MLflow, below MLflow's own address."""
    return f"/#/models/{quote(registered, safe='')}/versions/{version}"


def mlflow_run(run_id: str) -> str:
    """A run in MLflow, which finds its experiment by itself."""
    return f"/#/runs/{quote(run_id, safe='')}"
