"""Evidently: the distance of each column, and its page."""

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from models.columns import Columns
from pipelines.use_cases.spec.model import Watch

if TYPE_CHECKING:
    import pandas as pd

_NUMBERS, _CATEGORIES = "wasserstein", "jensenshannon"


def evidently(
    reference: "pd.DataFrame",
    current: "pd.DataFrame",
    answer: Columns,
    limits: Mapping[str, float],
    watch: Watch,
) -> tuple[Mapping[str, float], str]:
    """The distance of each column, and the page. Importing Evidently takes 6 to 9 s.

    Args:
        limits: the distance above which a column drifted, by its name.
    """
    with _quiet():
        from evidently import DataDefinition, Dataset, Report  # type: ignore[import-untyped]

        numeric = [str(name) for name in reference.select_dtypes(float).columns]
        categorical = [str(name) for name in reference.columns if name not in numeric]
        definition = DataDefinition(numerical_columns=numeric, categorical_columns=categorical)
        datasets = (Dataset.from_pandas(frame, definition) for frame in (current, reference))
        # Its own tests would only repeat on the page what the widgets say.
        metrics = _metrics(numeric, categorical, answer, limits, watch)
        report = Report(metrics, include_tests=False)
        snapshot = report.run(*datasets)
        found = snapshot.dict()["metrics"]
        page: str = snapshot.get_html_str(as_iframe=False)
    distances = {
        each["config"]["column"]: _distance(each["value"])
        for each in found
        if "column" in each["config"]
    }
    return distances, page


def _metrics(
    numeric: Sequence[str],
    categorical: Sequence[str],
    answer: Columns,
    limits: Mapping[str, float],
    watch: Watch,
) -> list[Any]:
    """The inputs together; answers by themselves, since they are no part of the drifted share."""
    from evidently.metrics import ValueDrift  # type: ignore[import-untyped]
    from evidently.presets import DataDriftPreset  # type: ignore[import-untyped]

    metrics: list[Any] = []
    held = (*numeric, *categorical)
    inputs = [name for name in held if name not in answer.inputs]
    if inputs:
        together = DataDriftPreset(
            columns=inputs,
            drift_share=watch.drifted_share_max,
            num_method=_NUMBERS,
            cat_method=_CATEGORIES,
            per_column_threshold={name: limits[name] for name in inputs},
        )
        metrics.append(together)
    for name in (name for name in answer.inputs if name in held):
        method = _NUMBERS if name in numeric else _CATEGORIES
        metrics.append(ValueDrift(column=name, method=method, threshold=limits[name]))
    return metrics


def _distance(value: Any) -> float:
    """SciPy's root of a rounding error below zero is NaN: shares equal to the last bit but one."""
    distance = float(value)
    return 0.0 if math.isnan(distance) else distance


@contextmanager
def _quiet() -> Iterator[None]:
    """Evidently warns about its own future, and of the correlations of constant columns."""
    with warnings.catch_warnings():
        for category in (DeprecationWarning, FutureWarning, RuntimeWarning):
            warnings.simplefilter("ignore", category)
        yield
