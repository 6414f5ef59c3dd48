"""Tables of some rows a day, drawn anew for each seed: calm ones, and ones that changed.

Every input is made of a normal number of deviation 1, so that a shift is in deviations: plain,
skewed, whole, with gaps, or cut into categories. The answers are the labels' true probabilities:
such a model never gets worse, whatever its inputs do.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from models.columns import Columns
from models.tasks import Binary
from models.tasks.task import Array
from pipelines.learning.monitor.days import DECIDED_DAY

TASK = Binary()
MOVED, NEW = "moved", "depot"
COLUMNS = Columns(
    numeric=("first", "second", MOVED, "plain", "skewed", "heavy", "whole", "gaps"),
    categorical=("halves", NEW, "dozens", "gaps_text"),
)
ANSWER = Columns(numeric=("probability",))
NUM_REFERENCE_DAYS = NUM_LABELLED_DAYS = 14

# Monday to Sunday, in deviations where the rhythm is 1.
_WEEK = np.array([0.0, 0.1, 0.0, 0.1, 0.4, 0.8, 1.0])


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a table is like.

    Args:
        rhythm: how far Sundays lie from Mondays, in deviations of a day's rows.
        weather: the deviation of what all rows of a day share.
        shift: of the input `moved` on the days that are judged.
        new_share: of their rows that have a new category in `depot`.
        reference_days: two weeks, or their first days.
    """

    num_rows_a_day: int = 24
    rhythm: float = 0.0
    weather: float = 0.0
    shift: float = 0.0
    new_share: float = 0.0
    reference_days: int = NUM_REFERENCE_DAYS


@dataclass(frozen=True)
class Drawn:
    """Two weeks of reference, and two weeks since, of which the last days are judged."""

    reference: pa.Table
    window: pa.Table
    labelled: pa.Table


def drawn(kind: Kind, seed: int, window_days: int) -> Drawn:
    """A table of its own for each seed; its last day is a Monday, a Tuesday, and so on in turn."""
    random = np.random.default_rng(seed)
    day = seed % 7 + np.arange(NUM_REFERENCE_DAYS + NUM_LABELLED_DAYS)
    judged_from = int(day[-1]) + 1 - window_days
    rows = _rows(random, kind, np.repeat(day, kind.num_rows_a_day), judged_from)
    of = rows[DECIDED_DAY].to_numpy()
    since = int(day[NUM_REFERENCE_DAYS])
    known_until = int(day[0]) + kind.reference_days
    return Drawn(
        *(
            rows.filter(pa.array(held))
            for held in (of < known_until, of >= judged_from, of >= since)
        )
    )


def _rows(random: np.random.Generator, kind: Kind, day: Array, judged_from: int) -> pa.Table:
    latent = {name: _latent(random, kind, day) for name in COLUMNS.inputs}
    is_judged = day >= judged_from
    latent[MOVED] += kind.shift * is_judged
    probability = 1 / (1 + np.exp(1 - latent["first"] - 0.5 * latent["second"]))
    is_new = is_judged & (random.random(len(day)) < kind.new_share)
    columns = {
        **{name: latent[name] for name in ("first", "second", MOVED, "plain")},
        "skewed": np.exp(latent["skewed"]),
        "heavy": latent["heavy"] ** 3,
        "whole": np.round(2 * latent["whole"]),
        "gaps": np.where(latent["gaps"] < -1.3, np.nan, latent["gaps"]),  # about 10 %
        "halves": _cut(latent["halves"], 2),
        NEW: np.where(is_new, "new", _cut(latent[NEW], 5)),
        "dozens": _cut(latent["dozens"], 24),
        "gaps_text": np.where(latent["gaps_text"] < -1.3, "", _cut(latent["gaps_text"], 3)),
        "probability": probability,
        "label": random.random(len(day)) < probability,
        DECIDED_DAY: day.astype(np.int32),
    }
    return pa.table(columns)


def _latent(random: np.random.Generator, kind: Kind, day: Array) -> Array:
    """Up at the end of the week in one input, down in another."""
    of_day = random.normal(0, kind.weather, int(day.max()) + 1)
    level = kind.rhythm * random.choice([-1, 1]) * _WEEK[day % 7]
    rows: Array = random.normal(level + of_day[day])
    return rows


def _cut(latent: Array, num: int) -> Array:
    """So many categories of about equal shares."""
    from scipy.special import ndtri  # type: ignore[import-untyped]

    place = np.searchsorted(ndtri(np.arange(1, num) / num), latent)
    texts: Array = np.array([f"c{each}" for each in range(num)])
    return texts[place]
