"""A ranking's answers: the list of one person or query, what was taken before it, and after."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa  # type: ignore[import-untyped]

from millrace_pages import subjects
from millrace_pages.answered import Answered
from models.tasks.fields import said_of
from pipelines.insight.lineage import predictions

if TYPE_CHECKING:
    from models.tasks import Ranking


@dataclass(frozen=True)
class Place:
    """An item of the list.

    Args:
        number: 1 is the best.
        name: for people; None: the lake has none.
        was_taken: in a list that the model was asked with.
        is_taken: afterwards; None: no label is known.
    """

    number: int
    item: str
    name: str | None
    score: float
    was_taken: bool
    is_taken: bool | None


def places(
    items: Sequence[str],
    scores: Sequence[float],
    names: Mapping[str, str],
    before: Iterable[str],
    after: Iterable[str] | None,
) -> list[Place]:
    """The list, best first."""
    taken, relevant = set(before), None if after is None else set(after)
    return [
        Place(
            number=number,
            item=item,
            name=names.get(item),
            score=score,
            was_taken=item in taken,
            is_taken=None if relevant is None else item in relevant,
        )
        for number, (item, score) in enumerate(zip(items, scores, strict=True), 1)
    ]


def called(items: Iterable[str], names: Mapping[str, str]) -> list[str]:
    """Items by their names, those without one as they are."""
    return [names.get(item, item) for item in items]


def shown(found: Answered, of: str, page: int) -> Mapping[str, Any]:  # noqa: ARG001
    """The newest list of the person that is asked for."""
    task = cast("Ranking", found.spec.task)
    columns = _unit(found, task)
    chosen = subjects.choose(columns, found.keys(columns), of)
    about = {"chosen": chosen, "about": ", ".join(columns)}
    return about if chosen.values is None else {**about, **_of(found, task, chosen.values)}


def _unit(found: Answered, task: "Ranking") -> tuple[str, ...]:
    """Whose list it is: what the task draws by, else the row key without its instants."""
    if set(task.unit) <= set(found.schema.names):
        return task.unit
    names = found.model.row_key
    return tuple(n for n in names if not pa.types.is_timestamp(found.schema.field(n).type))


def _of(found: Answered, task: "Ranking", values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The newest answer, read with its inputs, its labels and its items' names."""
    model = found.model
    inputs = [n for n in found.spec.columns.categorical_lists if n in found.schema.names]
    rows = found.newest(values, inputs)
    row = max(rows, key=lambda row: (row["decided_at"], row["predicted_at"]))
    known = found.labels({name: row[name] for name in model.row_key}, row["decided_at"].date())
    before = {name: row[name] or [] for name in inputs}
    after = known[0][model.label] if known else None
    every = [*row[task.items], *(after or ()), *(item for held in before.values() for item in held)]
    names = found.names(every, row["decided_at"])
    taken = {item for held in before.values() for item in held}
    return {
        "row": row,
        "id": str(predictions.identity(model, row)),
        "places": places(row[task.items], row["scores"], names, taken, after),
        "facts": [
            (field.name, row[field.name], said_of(field, "meaning"))
            for field in task.answer
            if field.name in row and not pa.types.is_list(field.type)
        ],
        "before": {name: called(held, names) for name, held in before.items()},
        "after": None if after is None else called(after, names),
    }
