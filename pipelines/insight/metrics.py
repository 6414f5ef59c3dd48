"""What the metrics of a model are called, for people."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipelines.core import cases
from pipelines.core.errors import MillraceError
from pipelines.use_cases.spec.model import Model
from pipelines.use_cases.spec.use_case import UseCase

if TYPE_CHECKING:
    from models.tasks import Task


def titles(case: UseCase, model: Model | None) -> Mapping[str, str]:
    """Each metric's title by its name; none where the model's file can't be read now."""
    task = _task(case, model)
    return {metric.name: metric.title for metric in task.metrics} if task else {}


def fact_titles(case: UseCase, model: Model | None) -> Mapping[str, str]:
    """The same of what its task says of labels and of answers."""
    task = _task(case, model)
    return task.fact_titles if task else {}


def _task(case: UseCase, model: Model | None) -> "Task | None":
    try:
        return cases.model(case.name, model).task if model else None
    except MillraceError:
        return None
