"""Answers as a table: what every task's can be shown as."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from millrace_pages.answered import Answered, Rows
from millrace_pages.site import ROWS_A_PAGE, Paging
from pipelines.insight.lineage import predictions
from pipelines.use_cases.spec.model import Model


@dataclass(frozen=True)
class Line:
    """One answer; `id` names the prediction."""

    id: str
    key: tuple[Any, ...]
    decided_at: datetime
    version: int
    answer: tuple[Any, ...]


def lines(model: Model, fields: Sequence[str], rows: Rows) -> list[Line]:
    """Answers, the newest decision first, then by key."""
    found = [
        Line(
            id=str(predictions.identity(model, row)),
            key=tuple(row[name] for name in model.row_key),
            decided_at=row["decided_at"],
            version=row["model_version"],
            answer=tuple(row[name] for name in fields),
        )
        for row in rows
    ]
    return sorted(sorted(found, key=lambda line: line.key), key=_instant, reverse=True)


def _instant(line: Line) -> datetime:
    return line.decided_at


def shown(found: Answered, of: str, page: int) -> Mapping[str, Any]:  # noqa: ARG001
    """A page of them."""
    every = lines(found.model, found.fields, found.newest({}))
    first = (page - 1) * ROWS_A_PAGE
    return {
        "fields": found.fields,
        "lines": every[first : first + ROWS_A_PAGE],
        "paging": Paging(page, len(every)),
    }
