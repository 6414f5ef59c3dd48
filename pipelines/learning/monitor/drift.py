"""How far a model's inputs and answers have moved from its evaluation rows, by Evidently.

Distances are the normed first Wasserstein distance of numbers (in standard deviations of the
reference), and the Jensen-Shannon distance of categories (natural logarithm, 0 to 0.83). A column
drifted where its distance matters and is more than chance and calm days make of so many rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import pyarrow as pa  # type: ignore[import-untyped]

from models.columns import Columns
from pipelines.learning.monitor import categories
from pipelines.learning.monitor.frames import missing_share
from pipelines.learning.monitor.limits import Key, Sides, limits, missing_distance, sides
from pipelines.learning.monitor.report import evidently
from pipelines.use_cases.spec.model import Watch


@dataclass(frozen=True)
class ColumnDrift:
    """One column, reference against current rows.

    Args:
        distance: None where a side has no value at all.
        distance_max: above which it drifted.
        drifted: by its values, or by how many are missing.
        missing_share_reference, missing_share_current: nulls, and numbers that are not finite;
            all of them where a table lacks the column.
        notes: what came and went, in words.
    """

    name: str
    distance: float | None
    distance_max: float
    drifted: bool
    missing_share_reference: float
    missing_share_current: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Missing:
    """The shares of missing values on both sides."""

    before: float
    after: float

    @property
    def has_both(self) -> bool:
        return max(self.before, self.after) < 1

    def moved(self, by_chance: float, watch: Watch) -> bool:
        """Whether more is missing, or less, than chance makes, and by enough to matter.

        A column that came or went as a whole matters however few values it had.
        """
        distance = missing_distance(self.before, self.after)
        return distance > by_chance and (not self.has_both or distance > watch.distance_max)

    @property
    def said(self) -> str:
        """In words, for a reader who looks for an outage."""
        word = (
            "went empty, missing"
            if self.after == 1
            else "was empty, missing"
            if self.before == 1
            else "missing"
        )
        return f"{word} {self.before:.0%} → {self.after:.0%}"


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
        return self.num_drifted / max(1, len(self.inputs))


def compared(answer: pa.Schema) -> Columns:
    """The fields of an answer that have a distance: numbers, texts, and what is true or false.

    A list has none: what lists are like together is said by `Task.answer_facts`.
    """
    fields = [(field.name, field.type) for field in answer]
    return Columns(
        numeric=tuple(name for name, kind in fields if pa.types.is_floating(kind)),
        categorical=tuple(name for name, kind in fields if _is_category(kind)),
    )


def _is_category(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_boolean(kind))


def compare(
    reference: pa.Table,
    current: pa.Table,
    columns: Columns,
    answer: Columns,
    watch: Watch,
    heading: str,
) -> tuple[Drift, str]:
    """The drift, and Evidently's report as one self-contained HTML page below a heading.

    Inputs that are lists have no distance, and are left out. At most `watch.num_rows_max` rows of
    each side are compared: of the reference those of days like the current ones, where the tables
    have `decided_day`.

    Raises:
        DataRefused: a column is of the wrong kind.
    """
    both = sides(reference, current, together(columns, answer), watch.num_rows_max)
    known = limits(both, watch)
    held = [name for name, missing in _missing(both).items() if missing.has_both]
    named = {name: known[name, "values"] for name in both.columns.inputs}
    distances, page = evidently(both.before[held], both.after[held], answer, named, watch)
    drift = judged(both, columns, answer, distances, known, watch)
    return drift, _headed(page, heading, drift)


def judged(
    both: Sides,
    columns: Columns,
    answer: Columns,
    distances: Mapping[str, float],
    known: Mapping[Key, float],
    watch: Watch,
) -> Drift:
    """Each column's distance against its limits.

    Args:
        distances: of the columns that both sides have values of.
        known: the limits.
    """
    shares = _missing(both)

    def column(name: str) -> ColumnDrift:
        distance, missing = distances.get(name), shares[name]
        is_missed = missing.moved(known.get((name, "missing"), 1.0), watch)
        notes = categories.changes(name, both) if name in both.columns.categorical else ()
        return ColumnDrift(
            name=name,
            distance=distance,
            distance_max=known[name, "values"],
            drifted=is_missed or (distance is not None and distance > known[name, "values"]),
            missing_share_reference=missing.before,
            missing_share_current=missing.after,
            notes=(missing.said, *notes) if is_missed else notes,
        )

    return Drift(
        inputs=tuple(column(name) for name in (*columns.numeric, *columns.categorical)),
        answers=tuple(column(name) for name in answer.inputs),
        num_reference_rows=both.alike.num_rows,
        num_current_rows=both.current.num_rows,
    )


def together(columns: Columns, answer: Columns) -> Columns:
    """Inputs of a single value and the fields of answers: all that is compared."""
    return Columns(
        numeric=(*columns.numeric, *answer.numeric),
        categorical=(*columns.categorical, *answer.categorical),
    )


def _missing(both: Sides) -> Mapping[str, Missing]:
    before, after = both.before, both.after
    return {
        name: Missing(missing_share(before[name]), missing_share(after[name]))
        for name in both.columns.inputs
    }


def _headed(page: str, heading: str, drift: Drift) -> str:
    """The page with the drift on top, since Evidently knows of distances alone."""
    every = (*drift.inputs, *drift.answers)
    never = [each.name for each in every if each.distance is None and not each.drifted]
    said = [f"<h2>{escape(heading)}</h2>"]
    said += [
        f"<p>{drift.num_drifted} of {len(drift.inputs)} inputs drifted; "
        f"{drift.num_current_rows:,} rows beside {drift.num_reference_rows:,} of the reference.</p>"
    ]
    said += [
        f"<p>{escape(each.name)}: {escape('; '.join(each.notes))}</p>"
        for each in every
        if each.notes
    ]
    if never:
        said += [f"<p>No value to compare, which is no drift: {', '.join(never)}</p>"]
    top = f'<body>\n<div style="font-family: sans-serif; margin: 1em 2em">{"".join(said)}</div>'
    return page.replace("<body>", top, 1)
