"""The tasks, by name: what a question is, what an answer looks like, how answers are judged."""

from collections.abc import Mapping
from typing import Any

from models.tasks.binary import Binary
from models.tasks.forecast import Forecast
from models.tasks.multiclass import Multiclass
from models.tasks.ranking import Ranking
from models.tasks.regression import Regression
from models.tasks.task import Task

__all__ = [
    "TASKS",
    "Binary",
    "Forecast",
    "Multiclass",
    "Ranking",
    "Regression",
    "Task",
    "find",
    "from_json",
    "to_json",
]

TASKS: Mapping[str, type[Task]] = {
    task.name: task for task in (Binary, Forecast, Multiclass, Ranking, Regression)
}


def to_json(task: Task) -> dict[str, Any]:
    """A task with its name, as plain values."""
    return {"name": task.name, **task.to_json()}


def from_json(values: Mapping[str, Any]) -> Task:
    """Read what `to_json` gave.

    Raises:
        ValueError: there is no such task, or its fields are others; says which.

    Example:
        >>> from_json(to_json(Regression(coverage=0.9))).coverage
        0.9
    """
    own = dict(values)
    return find(str(own.pop("name", ""))).from_json(own)


def find(name: str) -> type[Task]:
    """The task of that name.

    Raises:
        ValueError: there is none; the message lists those there are.
    """
    if name not in TASKS:
        raise ValueError(f"no task {name!r}; there is {', '.join(TASKS)}")
    return TASKS[name]
