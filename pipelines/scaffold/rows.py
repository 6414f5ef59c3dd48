"""The rows of a sample: in the order of time, those for quarantine, and a few good ones."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]

from pipelines.scaffold.days import Span
from pipelines.scaffold.keys import Keys
from pipelines.scaffold.profile import Profile
from pipelines.scaffold.target import Target

GOLDEN_ROWS = 20


def in_order(known: Sequence[datetime | None]) -> Sequence[int]:
    """The places of the rows in the order of time, those without one first."""
    never = datetime.min.replace(tzinfo=UTC)
    return sorted(range(len(known)), key=lambda place: known[place] or never)


def refused(
    profiles: Mapping[str, Profile],
    wanted: Target,
    rows: Keys,
    known: Sequence[datetime | None],
    days: Span,
) -> npt.NDArray[np.bool_]:
    """The rows that would go to quarantine, whatever the limits."""
    bad = np.array([at is None or at.date() not in days.known_on for at in known], dtype=bool)
    bad[list(rows.empty)] = True
    odd = {name: profile.odd for name, profile in profiles.items()}
    odd[wanted.label.column] = frozenset(wanted.slips)
    for name in (name for name in odd if odd[name]):
        bad |= np.array([text in odd[name] for text in profiles[name].texts], dtype=bool)
    if wanted.limits:
        bad |= wanted.limits.outside(profiles[wanted.label.column].values)
    return bad


def golden(
    profiles: Mapping[str, Profile],
    columns: Sequence[str],
    known: Sequence[datetime | None],
    bad: npt.NDArray[np.bool_],
    again: frozenset[int],
) -> pa.Table:
    """A few good rows spread over the whole time, the newest among them, in the source's texts."""
    order = [place for place in in_order(known) if not bad[place] and place not in again]
    few = min(GOLDEN_ROWS, len(order))
    spread = {order[len(order) - 1 - place * len(order) // few] for place in range(few)}
    places = pa.array(sorted(spread), pa.int64())
    return pa.table({name: profiles[name].shown.take(places) for name in columns})
