"""A proposal from a sample: columns with their types, the label, the entity, what there is of rows.

Nothing is guessed that a person has to know (the key, the instant, the label); those are checked.
What the label asks for is guessed, unless it is said: see `pipelines.scaffold.guess`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa  # type: ignore[import-untyped]

from pipelines.core.errors import UsageError
from pipelines.data.extract.readers import UNREAD
from pipelines.data.extract.tables import Shape, Table
from pipelines.data.extract.texts import instant
from pipelines.scaffold.names import described, identifier, kept_promises, refuse_clashes
from pipelines.scaffold.profile import TYPED_SHARE_MIN, Profile
from pipelines.scaffold.target import Target, target
from pipelines.use_cases.spec.use_case import ColumnType

SAMPLE_ROWS = 100_000
GOLDEN_ROWS = 20
_ENTITIES_MAX = 50


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What the person says of the source; columns by its own names, `location` without secrets.

    Without a task it is guessed from the label's values.
    """

    name: str
    location: str
    key: tuple[str, ...]
    event_time: str
    label: str
    known_at: str | None = None
    label_known_at: str | None = None
    task: str | None = None
    positive: str | None = None
    without: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that was named."""
        times = (self.event_time, self.known_at, self.label_known_at)
        named = (*self.key, *(name for name in times if name), self.label, *self.without)
        return tuple(dict.fromkeys(named))


@dataclass(frozen=True, kw_only=True)
class Input:
    """One column of the feed that is neither time nor label."""

    source: str
    name: str
    type: ColumnType
    description: str
    has_nulls: bool
    low: float | None
    high: float | None
    is_category: bool
    num_values: int


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """All that the templates are filled from; `known_on` counts the sample's rows by UTC day."""

    ask: Ask
    shape: Shape
    key: tuple[str, ...]
    label: str
    target: Target
    inputs: tuple[Input, ...]
    num_rows: int
    is_whole: bool
    label_delay_days: float
    known_on: Mapping[date, int]
    sample: pa.Table
    delimiter: str = ","

    @property
    def entity(self) -> Input | None:
        """The first text column with few values and no gaps, of which states are kept."""
        fitting = (
            each
            for each in self.inputs
            if each.is_category and not each.has_nulls and each.num_values <= _ENTITIES_MAX
        )
        return next((each for each in fitting if each.name not in self.key), None)

    @property
    def first_day(self) -> date:
        return min(self.known_on)

    @property
    def last_day(self) -> date:
        return max(self.known_on)


def infer(ask: Ask, table: Table, delimiter: str = ",") -> Proposal:
    """Read a sample of the table, and propose.

    Raises:
        UsageError: a column is missing, can't be a key, an instant or a label, or names clash.
    """
    columns = table.column_names()
    _refuse_missing(ask, columns)
    read = [name for name in columns if name not in ask.without]
    sample, is_whole = _sample(table, read)
    profiles = {name: Profile(name, sample[name].to_pylist()) for name in read}
    known = _times(profiles, ask.known_at or ask.event_time)
    happened = _times(profiles, ask.event_time)
    _refuse_future(ask, happened, known)
    wanted = target(profiles[ask.label], ask.task, ask.positive)
    times = {ask.event_time, ask.known_at, ask.label_known_at}
    plain = [name for name in read if name not in times and name != ask.label]
    names = _names(ask, [profiles[name] for name in (*plain, ask.label)])
    _refuse_repeated(ask, profiles)
    shape = Shape(
        columns=names,
        event_at=ask.event_time,
        label=wanted.label,
        known_at=ask.known_at,
        label_known_at=ask.label_known_at,
        nulls=frozenset[str]().union(*(profiles[name].missing_words for name in read)),
    )
    return Proposal(
        ask=ask,
        shape=shape,
        key=tuple("event_at" if name == ask.event_time else names[name] for name in ask.key),
        label=names[ask.label],
        target=wanted,
        inputs=tuple(_input(profiles[name], names[name], ask) for name in plain),
        num_rows=len(sample),
        is_whole=is_whole,
        label_delay_days=_label_delay_days(ask, profiles, known),
        known_on=Counter(at.date() for at in known if at),
        sample=_golden(sample.select(shape.source_columns), known),
        delimiter=delimiter,
    )


def _refuse_missing(ask: Ask, columns: Sequence[str]) -> None:
    missing = [name for name in ask.columns if name not in columns]
    if missing:
        raise UsageError(
            f"{ask.location} has no column {', '.join(missing)}; it has {', '.join(columns)}"
        )
    times = (ask.event_time, ask.known_at, ask.label_known_at)
    needed = [name for name in ask.without if name in (*ask.key, ask.label, *times)]
    if needed:
        raise UsageError(f"--without names {', '.join(needed)}, which is needed")
    if ask.label in (*ask.key, *times) or {ask.known_at, ask.label_known_at} & set(ask.key):
        raise UsageError("the label, the key and the times must be different columns")


def _sample(table: Table, columns: Sequence[str]) -> tuple[pa.Table, bool]:
    """The first rows that could be read, and whether they are all."""
    parts: list[pa.Table] = []
    rows = 0
    for batch in table.batches(columns):
        if rows >= SAMPLE_ROWS:
            return pa.concat_tables(parts), False
        parts.append(batch.filter(pa.compute.is_null(batch[UNREAD])))
        rows += len(parts[-1])
    if not rows:
        raise UsageError("the source has no rows that can be read: nothing can be proposed")
    return pa.concat_tables(parts), True


def _times(profiles: Mapping[str, Profile], name: str) -> list[datetime | None]:
    profile = profiles[name]
    if profile.type not in ("date", "timestamp"):
        raise UsageError(
            f"column {name} holds no instants but {profile.type}, such as "
            f"{next(iter(profile.counts), '')!r}; it must be like 2026-11-20, 2026-11-20 13:45:00 "
            "(taken as UTC) or 2026-11-20T13:45:00+01:00"
        )
    return [instant(text) for text in profile.texts]


def _refuse_future(
    ask: Ask, happened: Sequence[datetime | None], known: Sequence[datetime | None]
) -> None:
    pairs = [(a, b) for a, b in zip(happened, known, strict=True) if a and b]
    early = [(a, b) for a, b in pairs if a > b]
    if len(early) > (1 - TYPED_SHARE_MIN) * len(pairs):
        raise UsageError(
            f"{len(early)} of {len(pairs)} rows have {ask.event_time} after {ask.known_at}, such "
            f"as {early[0][0].isoformat()} after {early[0][1].isoformat()}: nothing is known "
            "before it happened; name the time at which the row was made by --event-time"
        )


def _names(ask: Ask, profiles: Sequence[Profile]) -> dict[str, str]:
    names = {
        profile.source: kept_promises(
            identifier(profile.source, ask.name), profile.low, profile.high
        )
        for profile in profiles
    }
    refuse_clashes(names)
    return names


def _refuse_repeated(ask: Ask, profiles: Mapping[str, Profile]) -> None:
    """Without a time of publication there is no telling a correction from another row."""
    columns = [*ask.key, *([ask.known_at] if ask.known_at else [])]
    rows = list(zip(*(profiles[name].texts for name in columns), strict=True))
    repeated = [row for row, n in Counter(rows).items() if n > 1]
    empty = sum(not all(row) for row in rows)
    if empty > (1 - TYPED_SHARE_MIN) * len(rows):
        raise UsageError(f"key {', '.join(columns)} is empty in {empty} of {len(rows)} rows")
    if repeated:
        raise UsageError(
            f"key {', '.join(columns)} names several rows {len(repeated)} times, such as "
            f"{', '.join(map(str, repeated[0]))}; add a column to --key"
            + ("" if ask.known_at else ", or --known-at if these are corrections")
        )


def _input(profile: Profile, name: str, ask: Ask) -> Input:
    is_key = profile.source in ask.key
    return Input(
        source=profile.source,
        name=name,
        # An identity is a text, whatever its digits: 7 and 07 are two.
        type="string" if is_key else profile.type,
        description=described(profile.source, name),
        has_nulls=profile.has_nulls,
        low=None if is_key else profile.low,
        high=None if is_key else profile.high,
        is_category=profile.is_category and not is_key,
        num_values=len(profile.counts),
    )


def _label_delay_days(
    ask: Ask, profiles: Mapping[str, Profile], known: Sequence[datetime | None]
) -> float:
    """After how many days nine in ten labels are known."""
    if ask.label_known_at is None:
        return 0.0
    later = _times(profiles, ask.label_known_at)
    delays = sorted(
        (b - a) / timedelta(days=1) for a, b in zip(known, later, strict=True) if a and b
    )
    return max(0.0, delays[int(0.9 * (len(delays) - 1))]) if delays else 0.0


def _golden(sample: pa.Table, known: Sequence[datetime | None]) -> pa.Table:
    """A few rows spread over the whole time, the newest among them."""
    never = datetime.min.replace(tzinfo=UTC)
    order = sorted((row for row, at in enumerate(known) if at), key=lambda row: known[row] or never)
    few = min(GOLDEN_ROWS, len(order))
    spread = {order[len(order) - 1 - place * len(order) // few] for place in range(few)}
    return sample.take(sorted(spread))
