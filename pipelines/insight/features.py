"""What there is to know of a case's features: meaning, unit, window, where from, for whom."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipelines.insight.lineage import walk
from pipelines.insight.lineage.case import ROWS, CaseLineage, view_name
from pipelines.insight.lineage.edges import Field
from pipelines.insight.lineage.walk import Step
from pipelines.stores import dbt_project
from pipelines.use_cases.spec.use_case import EntityState, UseCase

_WINDOW = re.compile(r"_(next_)?(\d+)(min|h|d)(?:_|$)")
_UNITS_OF_TIME = {"min": "minutes", "h": "hours", "d": "days"}
# By words of a feature's name, the first that is there; names say their unit.
_UNITS: Mapping[str, str] = {
    "fahrenheit": "degrees Fahrenheit",
    "degrees": "degrees",
    "mph": "miles an hour",
    "minutes": "minutes",
    "hours": "hours",
    "days": "days",
    "years": "years",
    "miles": "miles",
    "inches": "inches",
    "percent": "percent",
    "millibars": "millibars",
    "rate": "share, 0 to 1",
    "share": "share, 0 to 1",
    "num": "count",
    "is": "yes or no",
    "has": "yes or no",
}


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One column of an entity state.

    Args:
        meaning: what its table's YAML says of it.
        kind: its type in the lake.
        sources: the columns of landing files that its values are made of, or, of what only counts,
            that decide it; empty: nobody has worked that out yet.
        models: of the case, that it goes into.
    """

    state: EntityState
    name: str
    meaning: str
    kind: str
    sources: Sequence[str] = ()
    models: Sequence[str] = ()

    @property
    def unit(self) -> str:
        """As its name says it; empty: it says none."""
        return unit(self.name)

    @property
    def window(self) -> str:
        """The stretch of time that it looks at, as its name says it; empty: none."""
        return window(self.name)


def unit(name: str) -> str:
    """The unit that a name says.

    Example:
        >>> unit("departure_delay_minutes_mean_3h"), unit("num_overdue"), unit("manufacturer")
        ('minutes', 'count', '')
        >>> unit("wind_speed_mph_max_3h")
        'miles an hour'
    """
    words = name.split("_")
    return next((said for word, said in _UNITS.items() if word in words), "")


def window(name: str) -> str:
    """The window that a name says.

    Example:
        >>> window("late_rate_28d"), window("num_planned_departures_next_3h"), window("origin")
        ('28 days before', '3 hours to come', '')
    """
    found = _WINDOW.search(name)
    if found is None:
        return ""
    ahead, length, short = found.groups()
    return f"{length} {_UNITS_OF_TIME[short]} {'to come' if ahead else 'before'}"


def features(case: UseCase, known: CaseLineage | None) -> Mapping[EntityState, Sequence[Feature]]:
    """The features of each entity state, in the order of its table.

    Args:
        known: the case's lineage; None: it was not worked out yet.

    Raises:
        MillraceError: a state's table is not described.
    """
    return {state: list(_of_state(case, state, known)) for state in case.entity_states}


def _of_state(case: UseCase, state: EntityState, known: CaseLineage | None) -> Iterator[Feature]:
    for column in dbt_project.described(case.name, "gold", state.name)["columns"]:
        name = column["name"]
        if name in (*state.keys, *dbt_project.NO_FEATURES):
            continue
        yield Feature(
            state=state,
            name=name,
            meaning=" ".join(column["description"].split()),
            kind=column["data_type"],
            sources=_sources(known, Field(case.table("gold", state.name), name)),
            models=_models(known, Field(view_name(case.name, state.name), name)),
        )


def _sources(known: CaseLineage | None, column: Field) -> Sequence[str]:
    """The columns of landing files that become its value; of a mere count those that decide it."""
    if known is None or column.table not in known.by_name:
        return ()
    steps = _steps(walk.walk(known, column, "upstream"))
    landed = {
        Field(step.table, name): any(how.is_direct for how in hows)
        for step in steps
        if step.table.startswith("landing.")
        for name, hows in step.columns.items()
    }
    of_value = {field for field, is_direct in landed.items() if is_direct}
    return sorted(map(str, of_value or landed))


def _models(known: CaseLineage | None, feature: Field) -> Sequence[str]:
    """The models that read it, without the case's name."""
    if known is None or feature.table not in known.by_name:
        return ()
    steps = _steps(walk.walk(known, feature, "downstream"))
    prefix = f"models.{known.case}."
    return sorted(
        {
            step.table.removeprefix(prefix)
            for step in steps
            if step.table.startswith(prefix) and set(step.columns) - {ROWS}
        }
    )


def _steps(step: Step) -> Iterable[Step]:
    yield step
    for each in step.steps:
        yield from _steps(each)
