"""Families that are nobody's yet, to see that the contract carries them.

Ranked items with an index that is refreshed, answers to texts, and trends of several steps; none
is of the kinds that this repository ships.
"""

from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any, cast

from models import families, tasks

if TYPE_CHECKING:
    from models.tasks import Task

PACKAGES = {
    name: f"tests.model.toys.{name}" for name in ("ranked_items", "word_counts", "trend_lines")
}

Put = Callable[[MutableMapping[str, Any], str, Any], None]


def register(put: Put = dict.__setitem__) -> None:  # type: ignore[assignment]
    """Add them, and their tasks, to those there are: what a line in each registry does."""
    from tests.model.toys.ordering import Ordering
    from tests.model.toys.trend_lines import Trend

    known = cast("MutableMapping[str, type[Task]]", tasks.TASKS)
    for task in (Ordering, Trend):
        put(known, task.name, task)
    for name, module in PACKAGES.items():
        put(families.PACKAGES, name, module)
