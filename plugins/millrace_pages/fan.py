"""A forecast as a fan chart, drawn by the server as SVG.

A step an hour: each is a value of its own, and hours without one leave a gap.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

_NUM_TICKS_MAX = 8
_HOURS_A_TICK = (1, 3, 6, 12, 24, 48, 168, 672)


@dataclass(frozen=True, kw_only=True)
class Box:
    """Where the axes are in the picture."""

    width: int = 960
    height: int = 340
    left: int = 52
    right: int = 908
    top: int = 26
    bottom: int = 294


BOX = Box()


@dataclass(frozen=True, kw_only=True)
class Hour:
    """A stretch of time: what was said of it, if it was forecast, and what came of it.

    Args:
        at: its beginning.
        low, median, high: the forecast; None: it was past.
        naive: the naive forecast.
        is_planned: whether its plan was published when it was forecast.
        outcome: None where it is not known, or where there is none.
    """

    at: datetime
    low: float | None = None
    median: float | None = None
    high: float | None = None
    naive: float | None = None
    is_planned: bool = False
    outcome: float | None = None


@dataclass(frozen=True)
class Tick:
    """A mark on an axis."""

    place: float
    label: str
    below: str = ""


@dataclass(frozen=True)
class Fan:
    """The picture; paths for SVG.

    Args:
        made_x: where the forecast was made.
        plan_end_x: from where no plan was published; None: it was for all.
        label: the same in words, for those who can't see it.
    """

    band: str
    median: str
    naive: str
    outcome: str
    made_x: float
    plan_end_x: float | None
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    label: str


@dataclass(frozen=True)
class _Scale:
    """Instants and values to places in the box."""

    start: datetime
    end: datetime
    low: float
    high: float

    def x(self, at: datetime) -> float:
        return BOX.left + (BOX.right - BOX.left) * ((at - self.start) / (self.end - self.start))

    def y(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return BOX.bottom - (BOX.bottom - BOX.top) * share


def draw(before: Sequence[Hour], ahead: Sequence[Hour], made_at: datetime) -> Fan:
    """Outcomes before a forecast, the forecast, and outcomes since.

    Args:
        ahead: at least one hour, in the order of time.
    """
    step = min((after.at - hour.at for hour, after in pairwise(ahead)), default=_HOUR)
    every = [*before, *ahead]
    y_ticks = _value_ticks(_values(every))
    start, end = min(made_at, every[0].at), ahead[-1].at + step
    scale = _Scale(start, end, y_ticks[0], y_ticks[-1])
    plan_end = plan_ends(ahead, step, made_at)
    medians = [hour.median for hour in ahead if hour.median is not None]
    return Fan(
        band=_band(ahead, step, scale),
        median=_stairs(((hour.at, hour.median) for hour in ahead), step, scale),
        naive=_stairs(((hour.at, hour.naive) for hour in ahead), step, scale),
        outcome=_stairs(((hour.at, hour.outcome) for hour in every), step, scale),
        made_x=scale.x(made_at),
        plan_end_x=None if plan_end is None else scale.x(plan_end),
        x_ticks=tuple(_time_ticks(scale, made_at)),
        y_ticks=tuple(Tick(scale.y(value), f"{value:g}") for value in y_ticks),
        label=f"{len(ahead)} values ahead from {made_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC: "
        f"medians from {min(medians):,.4g} to {max(medians):,.4g}; the tables below say all",
    )


_HOUR = timedelta(hours=1)


def plan_ends(ahead: Sequence[Hour], step: timedelta, made_at: datetime) -> datetime | None:
    """The end of the last hour whose plan was known; None: it was known of the last one."""
    if ahead[-1].is_planned:
        return None
    return max((hour.at + step for hour in ahead if hour.is_planned), default=made_at)


def _values(hours: Iterable[Hour]) -> list[float]:
    fields = ((hour.low, hour.high, hour.naive, hour.outcome) for hour in hours)
    return [value for each in fields for value in each if value is not None]


def _value_ticks(values: Sequence[float]) -> list[float]:
    """Round numbers around all values and 0, five or a few more.

    Example:
        >>> _value_ticks([3.0, 38.0])
        [0.0, 10.0, 20.0, 30.0, 40.0]
    """
    low, high = min(0.0, *values), max(0.0, *values)
    wanted = (high - low or 1.0) / 5
    power = 10 ** math.floor(math.log10(wanted))
    step = next(times * power for times in (1, 2, 5, 10) if times * power >= wanted)
    first, last = math.floor(low / step), max(math.ceil(high / step), 1)
    return [float(number * step) for number in range(first, last + 1)]


def _time_ticks(scale: _Scale, made_at: datetime) -> Iterator[Tick]:
    """Horizons, and the instants that they are at."""
    hours = (scale.end - scale.start) / _HOUR
    apart = next((n for n in _HOURS_A_TICK if hours / n <= _NUM_TICKS_MAX), _HOURS_A_TICK[-1])
    first = math.ceil((scale.start - made_at) / _HOUR / apart)
    last = math.floor((scale.end - made_at) / _HOUR / apart)
    for number in range(first, last + 1):
        at = made_at + number * apart * _HOUR
        said = f"{number * apart:+d} h" if number else "0 h"
        yield Tick(scale.x(at), said, f"{at.astimezone(UTC):%d %b %H:%M}")


def _stairs(values: Iterable[tuple[datetime, float | None]], step: timedelta, scale: _Scale) -> str:
    """A line of steps; hours without a value leave a gap."""
    said, reached = list[str](), None
    for at, value in values:
        if value is None:
            continue
        y = scale.y(value)
        said.append(f"V{y:.1f}" if at == reached else f"M{scale.x(at):.1f},{y:.1f}")
        reached = at + step
        said.append(f"H{scale.x(reached):.1f}")
    return " ".join(said)


def _band(ahead: Iterable[Hour], step: timedelta, scale: _Scale) -> str:
    """From low to high; one path, so that neighbours show no seam."""
    return " ".join(
        f"M{scale.x(hour.at):.1f},{scale.y(hour.high):.1f} H{scale.x(hour.at + step):.1f} "
        f"V{scale.y(hour.low):.1f} H{scale.x(hour.at):.1f} Z"
        for hour in ahead
        if hour.low is not None and hour.high is not None
    )
