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
