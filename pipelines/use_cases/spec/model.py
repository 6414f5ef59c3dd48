"""What one model of a case answers, and how it is trained, gated and watched.

Standard library only: Dags import this at parse time.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeAlias, cast, get_args

# The gold tables by which every case with models hands over: see `Model`.
DECISIONS, LABELS, TRAINING_SET, PREDICTIONS = "decisions", "labels", "training_set", "predictions"

Cadence: TypeAlias = Literal["nightly", "weekly", "on drift"]
# The layers whose tables a model may learn from as a whole.
Derived: TypeAlias = Literal["silver", "gold"]

# Registered models, tables, Dags and folders are named by it.
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What a challenger must show on the evaluation rows before it becomes the champion.

    Args:
        metric: of the model's task; None: the task's first.
        floor: what the worse end of the metric's confidence interval must reach; None: what the
            metric itself asks.
        loss_max: how much worse than the champion it may be at the interval's worse end; newer
            data is worth a little noise. None: as for `floor`.
        num_rows_min: evaluation rows below which nothing is promoted: no data is no proof. The
            task may ask for more, such as rows of each class.
        confidence: level of both intervals, a bootstrap of whole units.
    """

    metric: str | None = None
    floor: float | None = None
    loss_max: float | None = None
    num_rows_min: int = 1000
    confidence: float = 0.95


@dataclass(frozen=True, kw_only=True)
class Watch:
    """When a model's predictions count as drifted, and when that makes retraining due.

    Args:
        window_days: the predictions that are compared with the champion's reference.
        num_rows_min: fewer rows give no verdict.
        num_rows_max: a sample of at most so many rows is compared.
        confidence: of verdicts on days that are like the reference at most the rest say drift.
        drifted_share_max: drifted inputs above this share are drift.
        distance_max: of one column, Wasserstein (normed) or Jensen-Shannon: what matters. Above it
            the column drifted, unless so many rows differ as much by chance.
        loss_max: the gate's metric worse than on the champion's evaluation by more than this is
            drift, unless so many labelled rows differ as much by chance.
        num_drifted, num_verdicts: due when so many of so many last verdicts say drift.
        cool_down_days: no retraining for drift sooner after the champion's last training row.

    Raises:
        ValueError: a confidence that is no share, or a verdict on no rows.
    """

    window_days: int = 1
    num_rows_min: int = 20
    num_rows_max: int = 10_000
    confidence: float = 0.95
    drifted_share_max: float = 0.5
    distance_max: float = 0.25
    loss_max: float = 0.1
    num_drifted: int = 2
    num_verdicts: int = 3
    cool_down_days: int = 3

    def __post_init__(self) -> None:
        if not 0 < self.confidence < 1:
            raise ValueError(f"Watch.confidence: {self.confidence} is not between 0 and 1")
        if self.num_rows_min < 1:
            raise ValueError(f"Watch.num_rows_min: {self.num_rows_min} is below 1; 20 is usual")

    @property
    def column_alarm_rate(self) -> float:
        """False alarms of all columns together: four fifths of what is allowed."""
        return (1 - self.confidence) * 4 / 5

    @property
    def metric_alarm_rate(self) -> float:
        """False alarms of the metric: the rest."""
        return (1 - self.confidence) / 5


@dataclass(frozen=True, kw_only=True)
class Model:
    """One question of a case: what is answered, by which family, and how it is handled.

    The case's gold table `decisions` has a row for each row key and instant of decision,
    `known_at`; `labels` has the outcome of each row key, once it is known. All models of a case
    are asked about the same decisions.

    Args:
        name: registered as `<case>.<name>`.
        task, family: by name; `models/<case>.py` has what they need to know.
        row_key: the columns that decisions and labels share.
        label: the column of `labels` to predict; null: this model learns nothing from the row.
        prefix: of its tables and Dags; a case's one model needs none, a further one such as
            `minutes_`.
        tables: whole tables that the family learns from beside the training set, such as
            `silver.ratings`, as known before the evaluation begins; each has `known_at`.
        item_names: the column of an entity state that says what an item of its answers is called,
            for people, such as `gold.candidates.title`; the state's one key is the item.
        is_refreshed: whether the family takes in their new rows before each prediction, without a
            training.
        online_after_minutes: of a model that answers online, the longest time from an instant to
            its state being readable there: a build's cadence, and how long it takes. Training and
            batch join the states of so long before a decision, so that they know no more than
            online. None: it answers in batch alone, from the states of the decision's instant.
        labels_come_later: a label that was known before its decision refuses the training set;
            False: it is a warning, as where the source does not say when labels came.
        look_back_days: decisions this far before the cutoff are used.
        validation_days: the days before the evaluation that say when to stop.
        evaluation_days: the newest days, seen by no training: the gate's.
        cadence: when the model is retrained; drift makes it due in any case.
        num_processes: that learn together, where the family can.
        hours_max: the longest that learning may take.

    Raises:
        ValueError: a name that is none, or days that leave nothing to learn from.
    """

    name: str
    task: str
    family: str
    row_key: tuple[str, ...]
    label: str
    prefix: str = ""
    tables: tuple[str, ...] = ()
    item_names: str = ""
    is_refreshed: bool = False
    online_after_minutes: int | None = None
    labels_come_later: bool = False
    look_back_days: int = 90
    validation_days: int = 7
    evaluation_days: int = 14
    cadence: Cadence = "nightly"
    num_processes: int = 2
    hours_max: float = 11.0
    gate: Gate = field(default_factory=Gate)
    watch: Watch = field(default_factory=Watch)

    def __post_init__(self) -> None:
        for name in (self.name, *([self.prefix] if self.prefix else [])):
            if not _NAME.fullmatch(name):
                raise ValueError(f"Model: {name!r} is not a lower-case identifier of 32 at most")
        self._check_tables()
        held_out = self.validation_days + self.evaluation_days
        if min(self.validation_days, self.evaluation_days) < 1 or held_out >= self.look_back_days:
            raise ValueError(
                f"Model {self.name!r}: validation ({self.validation_days} days) and evaluation "
                f"({self.evaluation_days}) leave nothing of {self.look_back_days} days"
            )

    def _check_tables(self) -> None:
        odd = [layer for layer, _ in self.whole_tables if layer not in get_args(Derived)]
        if odd or len({name for _, name in self.whole_tables}) < len(self.tables):
            raise ValueError(
                f"Model {self.name!r}: tables {list(self.tables)} are not silver.NAME or "
                "gold.NAME, each name once"
            )
        if self.is_refreshed and not self.tables:
            raise ValueError(f"Model {self.name!r}: is_refreshed by nothing; name its tables")

    @property
    def whole_tables(self) -> "tuple[tuple[Derived, str], ...]":
        """`tables` as layer and name."""
        parted = (table.partition(".") for table in self.tables)
        return tuple((cast("Derived", layer), name) for layer, _, name in parted)

    @property
    def training_set(self) -> str:
        """The gold table that it learns from."""
        return self.prefix + TRAINING_SET

    @property
    def predictions(self) -> str:
        """The gold table of its answers."""
        return self.prefix + PREDICTIONS

    def split(self, cutoff: datetime) -> "Split":
        """The parts of the decisions known by a cutoff.

        Example:
            >>> from datetime import UTC
            >>> model = Model(name="y", task="binary", family="trees", row_key=("id",), label="y")
            >>> split = model.split(datetime(2026, 4, 1, tzinfo=UTC))
            >>> f"{split.validation_from:%d %b}, {split.evaluation_from:%d %b}"
            '11 Mar, 18 Mar'
        """
        evaluation = cutoff - timedelta(days=self.evaluation_days)
        return Split(
            training_from=cutoff - timedelta(days=self.look_back_days),
            validation_from=evaluation - timedelta(days=self.validation_days),
            evaluation_from=evaluation,
            cutoff=cutoff,
        )


@dataclass(frozen=True)
class Split:
    """The instants that part decisions in time; a row between parts, its label late, is unused."""

    training_from: datetime
    validation_from: datetime
    evaluation_from: datetime
    cutoff: datetime

    @property
    def parts(self) -> dict[str, tuple[datetime, datetime]]:
        """Each part's `[start, end)`: a row's decision and its label both lie within it."""
        return {
            "training": (self.training_from, self.validation_from),
            "validation": (self.validation_from, self.evaluation_from),
            "evaluation": (self.evaluation_from, self.cutoff),
        }
