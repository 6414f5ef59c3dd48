"""Where the pages of `plugins/` are, by what they show: paths below the app.

Standard library only: Dags import this at parse time.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias
from urllib.parse import quote, urlencode

Address: TypeAlias = Callable[[str, str], str]


def _of(page: str) -> Address:
    def address(case: str, interval: str) -> str:
        return f"/{page}?{urlencode({'case': case, 'interval': interval})}"

    return address


def model(case: str, version: int) -> str:
    """A registered version in MLflow, below MLflow's own address."""
    return f"/#/models/{quote(case, safe='')}/versions/{version}"


def mlflow_run(run_id: str) -> str:
    """A run in MLflow, which finds its experiment by itself."""
    return f"/#/runs/{quote(run_id, safe='')}"


# What people want to see of a stage's attempt: the name of a link, and the page of case, interval.
REPORTS: Mapping[str, Mapping[str, Address]] = MappingProxyType(
    {
        "ingest": {"Quarantined rows": _of("quarantine")},
        "validate": {"Validation": _of("validation")},
        "transform": {"Tables": _of("data")},
        "train": {"Model": _of("models")},
        "promote": {"Gate": _of("models")},
        "monitor": {"Drift": _of("drift")},
    }
)
