"""What a use case is: one frozen value that every stage and every Dag reads.

Standard library only: Dags import this at parse time.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from pipelines.core.errors import UsageError
from pipelines.use_cases.spec.interval import GRAIN_MINUTES, Grain, Interval
from pipelines.use_cases.spec.model import DECISIONS, LABELS, Model

ColumnType: TypeAlias = Literal["string", "int", "bigint", "double", "boolean", "date", "timestamp"]
Layer: TypeAlias = Literal["bronze", "quarantine", "silver", "gold"]

# Tables, Dags and files are named by it.
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,63}", re.ASCII)
_AT_ITS_END: Mapping[Grain, str] = {
    "day": "0 0 * * *",
    "hour": "0 * * * *",
    "quarter_hour": "*/15 * * * *",
}
# Minute, hour, day of the month, month, day of the week: the lowest and the highest of each.
_CRON = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_CRON_PART = re.compile(r"(?:\*|(\d+)(?:-(\d+))?)(?:/([1-9]\d*))?", re.ASCII)


@dataclass(frozen=True)
class Column:
    """One column of a landing file: its name, its Spark type and what it holds, with the unit.

    An *optional* column may be missing from a whole file; its values are null then.
    """

    name: str
    type: ColumnType
    description: str
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class Feed:
    """One stream of files that a source system publishes, and what its rows look like.

    Every feed carries `known_at`, when its source published the row (UTC). A *fact* also carries
    `event_at`, when it happened; a *snapshot* is a whole dimension table, each time anew.

    Raises:
        ValueError: a key or a time column is not among the columns.
    """

    name: str
    description: str
    format: Literal["csv", "jsonl", "parquet"]
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    kind: Literal["fact", "snapshot"] = "fact"
    null_token: str = ""

    def __post_init__(self) -> None:
        needed = {*self.key, "known_at"} | ({"event_at"} if self.kind == "fact" else set())
        missing = sorted(needed - set(self.column_names))
        if missing:
            raise ValueError(f"Feed {self.name!r}: columns lack {missing}; add a Column for each")

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def parts(self, interval: Interval, grain: Grain) -> list[Interval]:
        """The parts of an interval that are fetched: of a snapshot only the newest."""
        parts = list(interval.parts(grain))
        return parts[-1:] if self.kind == "snapshot" else parts


@dataclass(frozen=True, kw_only=True)
class EntityState:
    """One gold table of entity states: a row an entity and instant, `known_at` being the instant.

    Args:
        name: the table's name; `gold.<case>_<name>`, also the feature view's.
        keys: the columns that name the entity.
        step_minutes: distance of the grid instants from midnight UTC; None: at the entity's events.
        ttl_minutes: how long a state may be used after its instant; older means unknown.
    """

    name: str
    keys: tuple[str, ...]
    step_minutes: int | None
    ttl_minutes: int


@dataclass(frozen=True, kw_only=True)
class UseCase:
    """The table of contents of one use case.

    Tables are named `<layer>.<case>_<name>` everywhere, so that two cases never meet.

    Args:
        name: the name of its file, and of its files in the other rooms.
        grain: the parts by which it is built as time goes on; history is loaded in ranges of days.
        schedule: when a part has ended, as five fields of cron, in UTC; empty: at its very end.
        on_demand: it stays paused until somebody asks for it: `make run CASE=<name>`.
        quarantine_rate_max: a share of bad rows; nothing of a feed is published where its counts
            prove a higher one (the lower confidence bound, 95 %), or where every row is bad.
        history_days: what the first run loads.
        history_days_max: the longest stretch that one run may take, and training may look back;
            None: any.

    Raises:
        ValueError: names that are not lower-case identifiers, or a limit out of its range.
    """

    name: str
    description: str
    feeds: tuple[Feed, ...]
    silver: tuple[str, ...]
    entity_states: tuple[EntityState, ...]
    gold: tuple[str, ...] = ()
    grain: Grain = "day"
    schedule: str = ""
    on_demand: bool = False
    quarantine_rate_max: float = 0.02
    history_days: int = 90
    history_days_max: int | None = None
    models: tuple[Model, ...] = ()

    def __post_init__(self) -> None:
        states = (state.name for state in self.entity_states)
        feeds = (feed.name for feed in self.feeds)
        for name in (self.name, *self.silver, *self.gold, *feeds, *states):
            if not _NAME.fullmatch(name):
                raise ValueError(f"UseCase {self.name!r}: {name!r} is not a lower-case identifier")
        if self.grain not in get_args(Grain):
            sizes = ", ".join(get_args(Grain))
            raise ValueError(f"UseCase {self.name!r}: grain {self.grain!r} is none of {sizes}")
        if not _is_cron(self.cron):
            raise ValueError(
                f"UseCase {self.name!r}: schedule {self.schedule!r} is not five fields of cron, "
                "such as '0 0 * * *'"
            )
        if not 0 <= self.quarantine_rate_max <= 1:
            raise ValueError(f"UseCase {self.name!r}: quarantine_rate_max is a share, 0 to 1")
        missing = {DECISIONS, LABELS} - set(self.gold) if self.models else set()
        if missing:
            raise ValueError(f"UseCase {self.name!r}: its models need {sorted(missing)} in gold")
        self._check_models()

    def _check_models(self) -> None:
        names, prefixes = ([getattr(m, field) for m in self.models] for field in ("name", "prefix"))
        if len(set(names)) < len(names) or len(set(prefixes)) < len(prefixes):
            raise ValueError(
                f"UseCase {self.name!r}: models {names} with prefixes {prefixes}: each needs a "
                "name and a prefix of its own; give the newer one prefix='<name>_'"
            )
        for model in self.models:
            unknown = [
                f"{layer}.{n}" for layer, n in model.whole_tables if n not in self.tables(layer)
            ]
            if unknown:
                raise ValueError(
                    f"UseCase {self.name!r}: model {model.name!r} learns from {unknown}, which are "
                    "none of its tables of silver and gold"
                )
            self.item_names(model)
            self._check_online(model)
        most = self.history_days_max
        for model in self.models:
            if most is not None and model.look_back_days > most:
                raise ValueError(
                    f"UseCase {self.name!r}: model {model.name!r} looks back "
                    f"{model.look_back_days} days, of history there are {most}"
                )

    def _check_online(self, model: Model) -> None:
        """A state waits for the end of its part, and must count for as long as a part lasts."""
        if model.online_after_minutes is None:
            return
        cadence = GRAIN_MINUTES[self.grain]
        if model.online_after_minutes < cadence:
            raise ValueError(
                f"UseCase {self.name!r}: model {model.name!r} has its states online after "
                f"{model.online_after_minutes} minutes, but a {self.grain} is built when it has "
                f"ended: say {cadence} and what a build takes, or build in smaller parts"
            )
        if short := [s.name for s in self.entity_states if s.ttl_minutes < cadence]:
            raise ValueError(
                f"UseCase {self.name!r}: {', '.join(short)} would be unknown online before the "
                f"next {self.grain} is built: give ttl_minutes of {cadence} at least"
            )

    def model(self, name: str | None = None) -> Model:
        """The model of that name; without one the only one.

        Raises:
            UsageError: there is none, or there are several to choose from.
        """
        names = ", ".join(model.name for model in self.models)
        if not self.models:
            raise UsageError(f"{self.name} has no model: give its UseCase `models`")
        if name is None and len(self.models) > 1:
            raise UsageError(f"{self.name} has the models {names}: say which, as --model NAME")
        for model in self.models:
            if name in (None, model.name):
                return model
        raise UsageError(f"{self.name} has no model {name!r}; it has {names}")

    def item_names(self, model: Model) -> tuple[EntityState, str] | None:
        """Where the items of a model's answers have their names: a state and its column.

        Raises:
            ValueError: it is none of the case's states, or one whose key is not the item alone.
        """
        if not model.item_names:
            return None
        layer, _, place = model.item_names.partition(".")
        name, _, column = place.partition(".")
        for state in self.entity_states:
            if (layer, name) == ("gold", state.name) and len(state.keys) == 1 and column:
                return state, column
        of_one_key = [f"gold.{state.name}" for state in self.entity_states if len(state.keys) == 1]
        raise ValueError(
            f"UseCase {self.name!r}: model {model.name!r} has its item_names in "
            f"{model.item_names!r}: name STATE.COLUMN of an entity state that has the item as its "
            f"one key; there is {', '.join(of_one_key) or 'none'}"
        )

    @property
    def cron(self) -> str:
        """When a part is built."""
        return self.schedule or _AT_ITS_END[self.grain]

    def feed(self, name: str) -> Feed:
        """The feed of that name."""
        for feed in self.feeds:
            if feed.name == name:
                return feed
        raise UsageError(f"{self.name} has no feed {name!r}; it has {[f.name for f in self.feeds]}")

    def table(self, layer: Layer, name: str) -> str:
        """The published name of a table: what readers use."""
        return f"{layer}.{self.name}_{name}"

    def build_table(self, layer: Layer, name: str) -> str:
        """The name of the table that stages write before it is proven."""
        return f"build.{layer}_{self.name}_{name}"

    def tables(self, layer: Layer) -> tuple[str, ...]:
        """The names of one layer's tables, without layer and case."""
        if layer in ("bronze", "quarantine"):
            return tuple(feed.name for feed in self.feeds)
        if layer == "silver":
            return self.silver
        return (*(state.name for state in self.entity_states), *self.gold)

    @property
    def all_tables(self) -> tuple[str, ...]:
        """The published names of every table that any stage writes for this case."""
        layers: tuple[Layer, ...] = get_args(Layer)
        named = [self.table(layer, name) for layer in layers for name in self.tables(layer)]
        made = (name for each in self.models for name in (each.training_set, each.predictions))
        return (*named, *(self.table("gold", name) for name in made))


def _is_cron(schedule: str) -> bool:
    """Whether these are five fields of numbers, ranges, steps and lists, each within its range.

    Airflow would refuse any other one when it reads a Dag file, and with it the Dags of all cases.
    """
    fields = schedule.split()
    return len(fields) == len(_CRON) and all(
        _is_cron_part(part, *limits)
        for field, limits in zip(fields, _CRON, strict=True)
        for part in field.split(",")
    )


def _is_cron_part(part: str, low: int, high: int) -> bool:
    match = _CRON_PART.fullmatch(part)
    if match is None:
        return False
    first, last = (int(number) if number else None for number in match.groups()[:2])
    start, end = low if first is None else first, high if last is None else last
    return low <= start <= end <= high
