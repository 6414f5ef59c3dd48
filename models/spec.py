"""What a model of a case is: its inputs, its task, and how its family learns it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from models import families, tasks
from models.columns import Columns
from models.family import Settings
from models.plain import check_fields
from models.tasks import Task


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """One model of a use case; a variant is `dataclasses.replace(spec, ...)`.

    Args:
        columns: what it is asked with.
        task: what it answers.
        settings: of its family, which they name.

    Raises:
        ValueError: the family can't learn such a task from such columns.

    Example:
        >>> from models.tasks import Binary
        >>> from models.trees.settings import Trees
        >>> columns = Columns(numeric=("distance_miles",))
        >>> spec = ModelSpec(columns=columns, task=Binary(), settings=Trees())
        >>> ModelSpec.from_json(spec.to_json()) == spec
        True
    """

    columns: Columns
    task: Task
    settings: Settings

    def __post_init__(self) -> None:
        family = families.find(self.settings.family)
        refused = family.refusal(self.task, self.columns, self.settings)
        if refused:
            raise ValueError(f"ModelSpec: {refused}")

    def to_json(self) -> dict[str, Any]:
        """Plain values, for a file between processes."""
        return {
            "columns": self.columns.to_json(),
            "task": tasks.to_json(self.task),
            "settings": families.to_json(self.settings),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave.

        Raises:
            ValueError: a field is missing, unknown or out of its range; the message names it.
        """
        check_fields(cls.__name__, values, (each.name for each in fields(cls)))
        return cls(
            columns=Columns.from_json(values["columns"]),
            task=tasks.from_json(values["task"]),
            settings=families.settings_from_json(values["settings"]),
        )
