"""A proposal from a sample: columns with their types, the label, the entity, what there is of rows.

Nothing is guessed that a person has to know (the key, the instant, the label); those are checked.
What the label asks for is guessed, unless it is said: see `pipelines.scaffold.guess`.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import pyarrow as pa  # type: ignore[import-untyped]

from pipelines.core.errors import UsageError
from pipelines.data.extract.shape import Shape
from pipelines.data.reading.batches import Table
from pipelines.data.reading.dialect import RFC_4180, Dialect
from pipelines.data.reading.files import FileTable
from pipelines.data.reading.guess import guessed
from pipelines.data.reading.notation import PLAIN
from pipelines.data.reading.recognise import Recognised
from pipelines.data.reading.sample import Sample, sampled
from pipelines.scaffold.ask import Ask
from pipelines.scaffold.columns import chosen, found
from pipelines.scaffold.days import Span, span
from pipelines.scaffold.inputs import Input, inputs
from pipelines.scaffold.keys import Keys, keys
from pipelines.scaffold.names import NONE, Header, Named, named
from pipelines.scaffold.picks import Picks, picks
from pipelines.scaffold.profile import Profile
from pipelines.scaffold.rows import golden, in_order, refused
from pipelines.scaffold.series import Series, series
from pipelines.scaffold.target import Target, refuse_few, target

PLAIN_FILE = Recognised(RFC_4180)
SAMPLE_ROWS = 100_000
_ENTITIES_MAX = 50
# So few rows may be known before they happened: they are mistakes, for quarantine.
_EARLY_SHARE_MAX = 0.01


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """All that the templates are filled from.

    Args:
        profiles: the sample by column, in the source's order.
        inputs: the columns of the feed that are neither time nor label.
        known_on: the sample's rows by UTC day, without days that can't be meant.
        num_bad: rows of the sample that would go to quarantine.
        left_out: columns that are not read, and why.
        said: what else the sample says: of names, keys, days.
        series, picks: what a forecast, or a ranking, is of.
    """

    ask: Ask
    profiles: Mapping[str, Profile]
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
    num_bad: int
    left_out: Mapping[str, str]
    said: tuple[str, ...]
    dialect: Dialect = RFC_4180
    series: Series | None = None
    picks: Picks | None = None

    @property
    def entity(self) -> Input | None:
        """The first text column with few values and no gaps, of which states are kept."""
        fitting = (
            each
            for each in self.inputs
            if each.is_category and not each.num_missing and each.num_values <= _ENTITIES_MAX
        )
        return next((each for each in fitting if each.name not in self.key), None)

    @property
    def first_day(self) -> date:
        return min(self.known_on)

    @property
    def last_day(self) -> date:
        return max(self.known_on)


def infer(ask: Ask, table: Table, now: datetime, written: Recognised = PLAIN_FILE) -> Proposal:
    """Read a sample of the table, and propose.

    Args:
        written: how its files are written.

    Raises:
        UsageError: a column is missing, can't be a key, an instant or a label, or it is not certain
            how it is written.
    """
    headers = table.column_names()
    ask = found(ask, headers)
    columns = chosen(ask, headers)
    sample = _sample(table, columns.columns, needed={*ask.key, *ask.times})
    profiles = _profiles(ask, sample.rows)
    blank = {name: "no name, and no value" for name in profiles if _is_blank(profiles[name])}
    profiles = {name: profile for name, profile in profiles.items() if name not in blank}
    known = profiles[ask.known_at or ask.event_time].instants
    _refuse_future(ask, profiles[ask.event_time].instants, known)
    days = span(known, now, is_whole=sample.is_whole)
    wanted = target(profiles[ask.outcome], ask.task, ask.positive)
    refuse_few(wanted)
    rows = keys(ask, profiles, sample.rows.select(list(profiles)))
    names = _names(ask, profiles, headers)
    shape = _shape(ask, names.names, profiles, wanted, rows, days)
    plain = [profiles[name] for name in names.names if name != ask.outcome]
    proposed = inputs(plain, names.names, ask.key, in_order(known))
    bad = refused(profiles, wanted, rows, known, days)
    for each in proposed:
        bad |= each.limits.outside(profiles[each.source].values)
    ahead = series(ask, profiles, ~bad, is_whole=sample.is_whole)
    picked = picks(ask, profiles, ~bad, is_whole=sample.is_whole)
    asked = [line for each in (ahead, picked) if each for line in each.said]
    read = (*_flattened(table), *_read(profiles, wanted), *_unread(sample))
    return Proposal(
        ask=ask,
        profiles=profiles,
        shape=shape,
        key=tuple(names.names.get(name, "event_at") for name in ask.row_key),
        label=names.names[ask.outcome],
        target=wanted,
        inputs=proposed,
        num_rows=len(sample.rows) + len(sample.problems),
        is_whole=sample.is_whole,
        label_delay_days=_label_delay_days(ask, profiles, known),
        known_on=days.known_on,
        sample=golden(profiles, shape.source_columns, known, bad, rows.again),
        num_bad=int(bad.sum()) + len(sample.problems),
        left_out={**columns.left_out, **blank},
        said=(*asked, *written.told, *read, *names.said, *rows.said, *days.said),
        dialect=written.dialect,
        series=ahead,
        picks=picked,
    )


def _sample(table: Table, columns: Sequence[str], needed: Collection[str]) -> Sample:
    optional = [name for name in columns if name not in needed]
    found = sampled(table, columns, SAMPLE_ROWS, optional)
    if not len(found.rows):
        first = f": {found.problems[0]}" if found.problems else ""
        raise UsageError(f"the source has no rows that can be read{first}")
    return found


def _profiles(ask: Ask, rows: pa.Table) -> Mapping[str, Profile]:
    """The columns as they are guessed to be.

    Raises:
        UsageError: what is not certain, a line each, with the option that says it.
    """
    columns = {name: rows[name] for name in rows.column_names}
    # A time that is part of the key is written in a notation, too.
    texts = [name for name in ask.key if name not in ask.times]
    guesses = guessed(columns, ask.values, times=ask.times, texts=texts)
    if asked := {name: guess.asks for name, guess in guesses.items() if guess.asks}:
        may_go = [name for name in asked if name not in ask.needed]
        hint = [f"or leave {', '.join(may_go)} out by --without"] if may_go else []
        raise UsageError("\n  ".join([*asked.values(), *hint]))
    return {name: Profile(name, column, guesses[name]) for name, column in columns.items()}


def _is_blank(profile: Profile) -> bool:
    return not profile.source.strip() and not profile.counts


def _flattened(table: Table) -> Iterator[str]:
    if isinstance(table, FileTable) and (names := table.flattened):
        yield f"{', '.join(names)}: records of their own, whose fields are columns here"


def _read(profiles: Mapping[str, Profile], wanted: Target) -> Iterator[str]:
    """How the columns are read; of a yes or no its words say all."""
    for name, profile in profiles.items():
        if name != wanted.label.column or wanted.type != "boolean":
            yield from profile.guess.told


def _unread(sample: Sample) -> Iterator[str]:
    if number := len(sample.problems):
        records = "1 record" if number == 1 else f"{number:,} records"
        yield f"{records} can't be read: for quarantine, such as {sample.problems[0]}"


def _refuse_future(
    ask: Ask, happened: Sequence[datetime | None], known: Sequence[datetime | None]
) -> None:
    pairs = [(a, b) for a, b in zip(happened, known, strict=True) if a and b]
    early = [(a, b) for a, b in pairs if a > b]
    if len(early) > _EARLY_SHARE_MAX * len(pairs):
        raise UsageError(
            f"{len(early)} of {len(pairs)} rows have {ask.event_time} after {ask.known_at}, such "
            f"as {early[0][0].isoformat()} after {early[0][1].isoformat()}: nothing is known "
            "before it happened; name the time at which the row was made by --event-time"
        )


def _names(ask: Ask, profiles: Mapping[str, Profile], headers: Sequence[str]) -> Named:
    """The names of all columns but the times, which have Millrace's own; so have who and what."""
    places = {name: place for place, name in enumerate(headers, 1)}
    times = (ask.event_time, ask.known_at, ask.label_known_at)
    shown = [
        Header(name, places[name], profile.low, profile.high)
        for name, profile in profiles.items()
        if name not in times
    ]
    given = dict(zip(ask.named, ("user_id", "item_id"), strict=True)) if ask.is_ranking else NONE
    return named(shown, ask.name, ask.task, given)


def _shape(
    ask: Ask,
    names: Mapping[str, str],
    profiles: Mapping[str, Profile],
    wanted: Target,
    rows: Keys,
    days: Span,
) -> Shape:
    notations = {name: profile.guess.notation for name, profile in profiles.items()}
    # Of a yes or no the words say all.
    label = PLAIN if wanted.type == "boolean" else notations[ask.outcome]
    missing = notations[ask.outcome].missing | wanted.missing
    notations[ask.outcome] = replace(label, missing=missing)
    return Shape(
        columns=names,
        event_at=ask.event_time,
        label=wanted.label,
        known_at=ask.known_at,
        label_known_at=ask.label_known_at,
        notations={name: each for name, each in notations.items() if each != PLAIN},
        whole=rows.whole & set(names),
        begins=days.begins,
    )


def _label_delay_days(
    ask: Ask, profiles: Mapping[str, Profile], known: Sequence[datetime | None]
) -> float:
    """After how many days nine in ten labels are known."""
    if ask.label_known_at is None:
        return 0.0
    later = profiles[ask.label_known_at].instants
    delays = sorted(
        (b - a) / timedelta(days=1) for a, b in zip(known, later, strict=True) if a and b
    )
    return max(0.0, delays[int(0.9 * (len(delays) - 1))]) if delays else 0.0
