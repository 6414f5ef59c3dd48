"""What the metrics of a model are called, for people."""

from collections.abc import Mapping

from pipelines.core import cases
from pipelines.core.errors import MillraceError
from pipelines.use_cases.spec.model import Model
from pipelines.use_cases.spec.use_case import UseCase


def titles(case: UseCase, model: Model | None) -> Mapping[str, str]:
    """Each metric's title by its name; none where the model's file can't be read now."""
    try:
        found = cases.model(case.name, model).task.metrics if model else ()
    except MillraceError:
        return {}
    return {metric.name: metric.title for metric in found}
