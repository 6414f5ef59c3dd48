"""What stages hand to each other and to people: one frozen value a stage, kept as JSON.

A stage's result is a row of `ops.runs`; whoever needs it reads it back by the type that
`pipelines.core.registry` names. Standard library only: Dags import the registry at parse time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

Details = TypeVar("Details")


@dataclass(frozen=True, kw_only=True)
class Outcome(Generic[Details]):
    """What a stage did: counted rows, table versions read and written, and what is its own."""

    details: Details
    rows: Mapping[str, int] = field(default_factory=dict)
    reads: Mapping[str, int] = field(default_factory=dict)
    writes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Extracted:
    """How many parts lie in the landing, and how many of them this run brought.

    Args:
        read: of each feed of a table, what became of the rows that were read of it: how many are
            new, late, landed before, of other days.
    """

    parts: int
    new_parts: int
    read: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Ingested:
    """Each feed's files and their sha256: what lineage ends at."""

    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Validated:
    """Each table's state, and what was only warned of."""

    states: Mapping[str, str]
    warnings: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Transformed:
    """The digest by which the compiled SQL is kept."""

    compiled: str | None = None


@dataclass(frozen=True, kw_only=True)
class Materialized:
    """What each state is online as of, and which were left as they were."""

    definitions_applied: bool
    online_as_of: Mapping[str, datetime]
    left_alone: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class TrainingDue:
    """Why to train, and from what: published versions, cutoff, settings; None: see `reason`."""

    reason: str
    state: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class DriftDue:
    """Why drift asks for a retraining."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class Assembled:
    """The instants that part the training set."""

    split: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Trained:
    """The registered version: see `pipelines.stores.mlflow.Version`; `reused` if it was there."""

    number: int
    run_id: str
    interval: str
    fingerprint: str
    digest: str
    cutoff: datetime
    reused: bool
    training_set: int | None = None
    family: str = ""
    refreshed_from: int | None = None
    evaluation: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Power:
    """How well one input alone puts labels in order, 0 to 1, with its interval over days."""

    estimate: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.estimate:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclass(frozen=True, kw_only=True)
class Moved:
    """A column that differs where it is built from what was known before an instant alone.

    Args:
        column: None: the row itself is in only one of both.
        num_rows, num_compared: that differ, and in all.
        cut: the instant of the example; nothing known then or later was read.
        entity, at: the key and the instant of one such row, with both its values.
    """

    table: str
    column: str | None
    num_rows: int
    num_compared: int
    cut: datetime
    entity: str
    at: datetime
    published: str
    rebuilt: str

    def __str__(self) -> str:
        what = (
            f"{self.table}.{self.column} differs" if self.column else f"{self.table} has or lacks"
        )
        return (
            f"{what} in {self.num_rows:,} of {self.num_compared:,} rows built from what was known "
            f"then alone: of {self.entity} at {self.at:%Y-%m-%d %H:%M:%S} published is "
            f"{self.published}, known before {self.cut:%Y-%m-%d %H:%M:%S} was {self.rebuilt}"
        )


@dataclass(frozen=True, kw_only=True)
class Fading:
    """An input that says nothing any more where its state is one step older."""

    input: str
    joined: Power
    older: Power
    num_rows: int

    def __str__(self) -> str:
        return (
            f"{self.input} tells {self.joined} of the label, and {self.older} from the state "
            f"before, of {self.num_rows:,} rows"
        )


@dataclass(frozen=True, kw_only=True)
class Deciding:
    """An input that nearly decides the label alone."""

    input: str
    power: Power
    num_rows: int

    def __str__(self) -> str:
        return f"{self.input} alone tells {self.power} of the label, of {self.num_rows:,} rows"


@dataclass(frozen=True, kw_only=True)
class Audited:
    """What looks like knowledge of the future, and what was looked at.

    Args:
        cuts: the instants at which tables were built anew.
        num_inputs: that were asked what they tell alone.
        unsaid: what could not be looked at, and why.
        code: the digest of the SQL and the inputs.
    """

    moved: Sequence[Moved] = ()
    fading: Sequence[Fading] = ()
    deciding: Sequence[Deciding] = ()
    cuts: Sequence[datetime] = ()
    num_inputs: int = 0
    unsaid: Sequence[str] = ()
    code: str = ""

    @property
    def findings(self) -> tuple[str, ...]:
        """Each in words, the surest kind first."""
        return tuple(str(each) for each in (*self.moved, *self.fading, *self.deciding))

    @property
    def summary(self) -> str:
        """How much was found, and in what."""
        num = len(self.findings)
        found = f"{num} {'finding' if num == 1 else 'findings'}" if num else "nothing found"
        seen = f"tables as known at {len(self.cuts)} instants, {self.num_inputs} inputs alone"
        return "; ".join((f"{found} in {seen}", *self.unsaid))

    def __str__(self) -> str:
        way_out = ["docs/runbook.md says what each may mean"] if self.findings else []
        return "\n".join([self.summary, *self.findings, *way_out])


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What the gate decided on a version, and why."""

    decision: str
    version: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class TakenIn:
    """The version that answers now, the one before, and what its family said of it."""

    version: int
    before: int
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """The version that answered."""

    model_version: int


@dataclass(frozen=True, kw_only=True)
class Watched:
    """The verdict on an interval, its page, and how good the answers were."""

    model_version: int
    drifted: bool | None
    due: bool
    reason: str
    page: str | None
    quality: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class RolledBack:
    """The version that is champion again, and the one before."""

    version: int
    before: int
