"""How far a model's inputs and answers have moved from its evaluation rows, by Evidently.

Both tables are compared as the model sees them: infinite numbers are missing, and a missing
category is one more category. Distances are the normed first Wasserstein distance of numbers
(in standard deviations of the reference), and the Jensen-Shannon distance of categories (natural
logarithm, 0 to 0.83).
"""

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from models.columns import Columns, numeric_matrix, text_column
from pipelines.use_cases.spec.model import Watch

if TYPE_CHECKING:
    import pandas as pd

_NUMBERS, _CATEGORIES = "wasserstein", "jensenshannon"
_MISSING = ""  # as `models.columns` writes a category that is not there


@dataclass(frozen=True)
class ColumnDrift:
    """One column, reference against current rows.

    Args:
        distance: None where a side has no value at all; then `drifted` if the other side has any.
        missing_share_reference, missing_share_current: nulls, and numbers that are not finite;
            all of them where a table lacks the column.
    """

    name: str
    distance: float | None
    drifted: bool
    missing_share_reference: float
    missing_share_current: float


@dataclass(frozen=True)
class Drift:
    """The inputs of the model in its order, and the fields of its answers."""

    inputs: tuple[ColumnDrift, ...]
    answers: tuple[ColumnDrift, ...]
    num_reference_rows: int
    num_current_rows: int

    @property
    def num_drifted(self) -> int:
        return sum(column.drifted for column in self.inputs)

    @property
    def drifted_share(self) -> float:
        return self.num_drifted / len(self.inputs)


def compared(answer: pa.Schema) -> Columns:
    """The fields of an answer that have a distance: numbers, and texts."""
    fields = [(field.name, field.type) for field in answer]
    return Columns(
        numeric=tuple(name for name, kind in fields if pa.types.is_floating(kind)),
        categorical=tuple(name for name, kind in fields if pa.types.is_string(kind)),
    )


def compare(
    reference: pa.Table,
    current: pa.Table,
    columns: Columns,
    answer: Columns,
    watch: Watch,
    heading: str,
) -> tuple[Drift, str]:
    """The drift, and Evidently's report as one self-contained HTML page below a heading.

    At most `watch.num_rows_max` rows of each side are compared.

    Raises:
        DataRefused: a column is of the wrong kind.
    """
    reference, current = (sample(table, watch.num_rows_max) for table in (reference, current))
    numbers = (*columns.numeric, *answer.numeric)
    texts = (*columns.categorical, *answer.categorical)
    before, after = (_frame(table, numbers, texts) for table in (reference, current))
    missing = {name: (_missing(before[name]), _missing(after[name])) for name in before.columns}
    held = [name for name, shares in missing.items() if max(shares) < 1]
    distances, page = _evidently(before[held], after[held], numbers, answer, watch)

    def column(name: str) -> ColumnDrift:
        distance = distances.get(name)
        one_sided = (missing[name][0] < 1) != (missing[name][1] < 1)
        drifted = one_sided if distance is None else distance > watch.distance_max
        return ColumnDrift(name, distance, drifted, *missing[name])

    drift = Drift(
        inputs=tuple(column(name) for name in columns.inputs),
        answers=tuple(column(name) for name in answer.inputs),
        num_reference_rows=reference.num_rows,
        num_current_rows=current.num_rows,
    )
    return drift, _headed(page, heading, drift)


def sample(table: pa.Table, num_rows_max: int) -> pa.Table:
    """At most so many rows, in their order, and always the same ones of the same table."""
    if table.num_rows <= num_rows_max:
        return table
    drawn = np.random.default_rng(0).choice(table.num_rows, num_rows_max, replace=False)
    return table.take(np.sort(drawn))


def _frame(table: pa.Table, numbers: Sequence[str], categories: Sequence[str]) -> "pd.DataFrame":
    """Numbers as float64, NaN where missing; categories as text, a column that is not there too.

    Evidently writes categories into a script of its page as they are, so `</script>` in the data
    would run: they are escaped here, which keeps different ones different.
    """
    import pandas as pd

    held = set(table.column_names)
    values = numeric_matrix(table, [name for name in numbers if name in held]).astype(float)
    frame = pd.DataFrame(values, columns=[name for name in numbers if name in held])
    for name in categories:
        if name in held:
            frame[name] = text_column(table, name).to_pandas().map(escape).to_numpy(object)
        else:
            frame[name] = _MISSING
    return frame.reindex(columns=[*numbers, *categories])


def _missing(column: "pd.Series[Any]") -> float:
    """The share of missing values; of no rows all are."""
    missing = column.isna() | (column == _MISSING)
    return float(missing.mean()) if len(column) else 1.0


def _evidently(
    reference: "pd.DataFrame",
    current: "pd.DataFrame",
    numbers: Sequence[str],
    answer: Columns,
    watch: Watch,
) -> tuple[Mapping[str, float], str]:
    """The distance of each column, and the page. Importing Evidently takes 6 to 9 s."""
    with _quiet():
        from evidently import DataDefinition, Dataset, Report  # type: ignore[import-untyped]

        numeric = [name for name in reference.columns if name in numbers]
        categorical = [name for name in reference.columns if name not in numbers]
        definition = DataDefinition(numerical_columns=numeric, categorical_columns=categorical)
        datasets = (Dataset.from_pandas(frame, definition) for frame in (current, reference))
        # Its own tests would only repeat on the page what the widgets say.
        metrics = _metrics(numeric, categorical, answer, watch)
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
    numeric: Sequence[str], categorical: Sequence[str], answer: Columns, watch: Watch
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
            num_threshold=watch.distance_max,
            cat_threshold=watch.distance_max,
        )
        metrics.append(together)
    for name in (name for name in answer.inputs if name in held):
        method = _NUMBERS if name in numeric else _CATEGORIES
        metrics.append(ValueDrift(column=name, method=method, threshold=watch.distance_max))
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


def _headed(page: str, heading: str, drift: Drift) -> str:
    """The page with the drift on top, since Evidently's own count leaves empty columns out."""
    empty = [column for column in (*drift.inputs, *drift.answers) if column.distance is None]
    gone = [column.name for column in empty if column.drifted]
    never = [column.name for column in empty if not column.drifted]
    said = f"<h2>{escape(heading)}</h2>"
    said += f"<p>{drift.num_drifted} of {len(drift.inputs)} inputs drifted.</p>"
    if gone:
        said += f"<p>No value on one side, which is drift: {', '.join(gone)}</p>"
    if never:
        said += f"<p>No value on both sides, which is none: {', '.join(never)}</p>"
    body = f'<body>\n<div style="font-family: sans-serif; margin: 1em 2em">{said}</div>'
    return page.replace("<body>", body, 1)
