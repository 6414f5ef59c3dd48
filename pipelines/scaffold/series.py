"""Regular series of numbers, as a forecast needs them: their step, and what is ahead."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import Literal

import numpy as np
import numpy.typing as npt

from pipelines.core.errors import UsageError
from pipelines.scaffold.ask import Ask
from pipelines.scaffold.profile import Profile

Seconds = npt.NDArray[np.int64]

_DAY_SECONDS = 86_400
# So much may be off its step, or missing: what is more is no regular series.
_ODD_SHARE_MAX = 0.01
# Days to learn from beside those that are held out.
_TRAINING_DAYS_MIN = 28
# Rolling origins: the nightly forecasts of so many days, each wholly known by the part's end.
_VALIDATION_DAYS, _EVALUATION_DAYS = 7, 14


@dataclass(frozen=True, kw_only=True)
class Step:
    """The distance of a series' instants, and what follows from it; counted in steps.

    Args:
        mark: of a span in a name, such as `24h`.
        season: after which most series look alike again: a week.
        horizon, horizon_max: how far ahead is usual, and possible.
        lags: how long before a target the series is looked at, the seasons' among them.
        spans: over which its last values are averaged.
    """

    word: Literal["hour", "day"]
    mark: str
    seconds: int
    season: int
    horizon: int
    horizon_max: int
    lags: Sequence[int]
    spans: Sequence[int]

    @property
    def a_day(self) -> int:
        return _DAY_SECONDS // self.seconds


STEPS = (
    Step(
        word="hour",
        mark="h",
        seconds=3600,
        season=168,
        horizon=72,
        horizon_max=336,
        lags=(*range(24, 169, 24), 336, 504, 672),
        spans=(24, 168),
    ),
    Step(
        word="day",
        mark="d",
        seconds=_DAY_SECONDS,
        season=7,
        horizon=28,
        horizon_max=28,
        lags=(*range(1, 8), 14, 21, 28, 35, 42),
        spans=(7, 28),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Series:
    """What is forecast: `num_series` series of one step, `horizon` steps ahead.

    Args:
        is_never_negative: whether all values say so.
        said: of how many, and how far.
    """

    step: Step
    horizon: int
    num_series: int
    is_never_negative: bool
    said: Sequence[str]

    @property
    def days_ahead(self) -> int:
        return ceil(self.horizon / self.step.a_day)

    @property
    def validation_days(self) -> int:
        return _VALIDATION_DAYS + self.days_ahead

    @property
    def evaluation_days(self) -> int:
        return _EVALUATION_DAYS + self.days_ahead

    @property
    def seasons(self) -> Sequence[int]:
        """The lags that are whole seasons, of which the newest known one is the naive forecast."""
        return [lag for lag in self.step.lags if lag % self.step.season == 0]

    @property
    def history_days(self) -> int:
        """How far back a decision looks."""
        return ceil(max(self.step.lags) / self.step.a_day)


def series(
    ask: Ask,
    profiles: Mapping[str, Profile],
    is_good: npt.NDArray[np.bool_],
    *,
    is_whole: bool,
) -> Series | None:
    """The series of a sample; None: no forecast is asked for.

    Args:
        is_good: of each row, whether it would be kept.
        is_whole: whether these are all rows that there are.

    Raises:
        UsageError: the instants are not regular, or there are too few.
    """
    if ask.task != "forecast":
        return None
    values = profiles[ask.label].values
    found = _grouped(ask, profiles, is_good & np.isfinite(values))
    step = _step(ask, list(found.values()))
    horizon = _horizon(ask.horizon, step)
    missing = _refuse_irregular(ask, found, step)
    made = Series(
        step=step,
        horizon=horizon,
        num_series=len(found),
        is_never_negative=bool((values[is_good] >= 0).all()),
        said=tuple(_said(ask, len(found), step, horizon, missing)),
    )
    if is_whole:
        _refuse_short(made, list(found.values()))
    return made


def _grouped(
    ask: Ask, profiles: Mapping[str, Profile], is_good: npt.NDArray[np.bool_]
) -> Mapping[tuple[str | None, ...], Seconds]:
    """The instants of each series, in order, each once."""
    places = np.flatnonzero(is_good).tolist()
    instants = profiles[ask.event_time].instants
    names = [profiles[name].texts for name in ask.named]
    found: dict[tuple[str | None, ...], set[int]] = {}
    for place in places:
        at = instants[place]
        if at is not None:
            found.setdefault(tuple(each[place] for each in names), set()).add(int(at.timestamp()))
    return {name: np.array(sorted(each), np.int64) for name, each in found.items()}


def _step(ask: Ask, found: Sequence[Seconds]) -> Step:
    """The most frequent distance of two instants that follow each other."""
    between, rows = np.unique(np.concatenate([np.diff(each) for each in found]), return_counts=True)
    usual = int(between[rows.argmax()]) if len(between) else 0
    for step in STEPS:
        if step.seconds == usual:
            return step
    far = f"{usual / 60:g} minutes apart" if usual else "of one row each"
    raise UsageError(
        f"{ask.event_time}: most rows of a series are {far}; a forecast is of hours or of days: "
        "sum or average them at the source, or name the series by --key"
    )


def _horizon(said: int | None, step: Step) -> int:
    horizon = step.horizon if said is None else said
    if not 1 <= horizon <= step.horizon_max:
        raise UsageError(
            f"--horizon {horizon}: of a series with a row {'an' if step.word == 'hour' else 'a'} "
            f"{step.word} 1 to {step.horizon_max} {step.word}s ahead are forecast"
        )
    return horizon


def _refuse_irregular(ask: Ask, found: Mapping[tuple[str | None, ...], Seconds], step: Step) -> int:
    """How many steps are missing between the first and the last of their series."""
    instants = np.concatenate(list(found.values()))
    off = instants[instants % step.seconds != 0]
    if len(off) > _ODD_SHARE_MAX * len(instants):
        where = "the full hour" if step.word == "hour" else "midnight UTC"
        hint = "days as dates, and leave --zone out" if step.word == "day" else "in UTC"
        raise UsageError(
            f"{ask.event_time}: {len(off):,} of {len(instants):,} instants are not at {where}, "
            f"such as {np.datetime64(int(off[0]), 's')}: write each {step.word}'s beginning at the "
            f"source, {hint}"
        )
    spans = {name: int(each[-1] - each[0]) // step.seconds + 1 for name, each in found.items()}
    missing = {name: spans[name] - len(each) for name, each in found.items()}
    if sum(missing.values()) > _ODD_SHARE_MAX * sum(spans.values()):
        worst = max(missing, key=lambda name: missing[name])
        raise UsageError(
            f"{ask.event_time}: {sum(missing.values()):,} of {sum(spans.values()):,} {step.word}s "
            f"have no row, such as {_gap(found[worst], step)}{_of(worst)}: fill them at the "
            "source, by 0 if nothing is what happened"
        )
    return max(0, sum(missing.values()))


def _gap(instants: Seconds, step: Step) -> str:
    first = next(a for a, b in pairwise(instants) if b - a > step.seconds)
    return f"the {step.word} after {np.datetime64(int(first), 's')}"


def _of(name: Sequence[str | None]) -> str:
    return f" of {', '.join(map(str, name))}" if name else ""


def _refuse_short(made: Series, found: Sequence[Seconds]) -> None:
    first, last = min(each[0] for each in found), max(each[-1] for each in found)
    days = int(last - first) // _DAY_SECONDS + 1
    held_out = made.validation_days + made.evaluation_days
    needed = _TRAINING_DAYS_MIN + made.days_ahead + held_out + made.step.season // made.step.a_day
    if days < needed:
        raise UsageError(
            f"the series have {days} days; to forecast {made.horizon} {made.step.word}s, "
            f"{needed} are needed: {held_out} to stop and to judge by, the others to learn from; "
            "take more of them, or say a smaller --horizon"
        )


def _said(ask: Ask, num_series: int, step: Step, horizon: int, missing: int) -> Iterator[str]:
    which = f"{num_series:,} series by {', '.join(ask.named)}" if ask.named else "one series"
    yield (
        f"{which}, a row {'an' if step.word == 'hour' else 'a'} {step.word}: at each midnight UTC "
        f"the next {horizon} {step.word}s are forecast; say --horizon for others"
    )
    yield (
        f"the naive forecast is the value {step.season} {step.word}s before, or the newest known "
        "before that by whole weeks"
    )
    if missing:
        yield f"{missing:,} {step.word}s have no row: nothing is learned from them"
