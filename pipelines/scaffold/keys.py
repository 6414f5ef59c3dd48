"""What names a sample's rows: copies, corrections, gaps, and how a number is written."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa  # type: ignore[import-untyped]

from expectations.rates import rate_at_least
from pipelines.core.errors import UsageError
from pipelines.data.extract.labels import folded
from pipelines.scaffold.ask import Ask
from pipelines.scaffold.profile import Profile

# More empty keys than the gate lets go to quarantine would stop each night: a rate that few rows
# prove little of.
EMPTY_SHARE_MAX = 0.02
# More rows of one key that are no copies are no corrections: the key lacks a column.
CONFLICT_SHARE_MAX = 0.01


@dataclass(frozen=True)
class Keys:
    """How the rows of a sample are named.

    Args:
        whole: the columns in which `1001.0` is `1001`; see `Shape.whole`.
        empty: the places of rows without a key.
        again: the places of rows whose key was there before.
        said: of how many rows, and what becomes of them.
    """

    whole: frozenset[str]
    empty: frozenset[int]
    again: frozenset[int]
    said: Sequence[str]


def keys(ask: Ask, profiles: Mapping[str, Profile], sample: pa.Table) -> Keys:
    """Check that the key names the rows: of one name are only copies, and few corrections.

    Without a time of publication there is no telling a correction from another row.

    Raises:
        UsageError: they are empty too often, or name several rows.
    """
    columns = [*ask.row_key, *([ask.known_at] if ask.known_at else [])]
    hint = "" if ask.known_at else ", or --known-at if these are corrections"
    whole = frozenset(name for name in columns if profiles[name].is_whole)
    texts = [_texts(profiles[name], is_whole=name in whole) for name in columns]
    rows = list(zip(*texts, strict=True))
    empty = frozenset(n for n, row in enumerate(rows) if not all(t and t.strip() for t in row))
    _refuse_empty(columns, len(empty), len(rows))
    places = defaultdict[tuple[str | None, ...], list[int]](list)
    for place, row in enumerate(rows):
        if place not in empty:
            places[row].append(place)
    repeated = {row: found for row, found in places.items() if len(found) > 1}
    copies, conflicts = _counted(repeated, sample.drop_columns(list(columns)))
    _refuse_conflicts(columns, conflicts, len(rows), hint=hint)
    again = frozenset(place for found in repeated.values() for place in found[1:])
    said = _said(columns, len(empty), copies, sum(conflicts.values()))
    return Keys(whole, empty, again, said)


def _texts(profile: Profile, *, is_whole: bool) -> Sequence[str | None]:
    if not is_whole:
        return profile.texts
    return [text and folded(text) for text in profile.texts]


def _counted(
    repeated: Mapping[tuple[str | None, ...], Sequence[int]], sample: pa.Table
) -> tuple[int, Mapping[tuple[str | None, ...], int]]:
    """How many rows are copies of another, and by key how many differ from it."""
    places = [place for found in repeated.values() for place in found]
    rows = dict(
        zip(
            places, map(_values, sample.take(pa.array(places, pa.int64())).to_pylist()), strict=True
        )
    )
    copies, conflicts = 0, {}
    for key, found in repeated.items():
        different = len({rows[place] for place in found})
        copies += len(found) - different
        if different > 1:
            conflicts[key] = different - 1
    return copies, conflicts


def _values(row: Mapping[str, str | None]) -> tuple[str | None, ...]:
    return tuple(row.values())


def _refuse_empty(columns: Sequence[str], empty: int, num_rows: int) -> None:
    if rate_at_least(empty, num_rows) > EMPTY_SHARE_MAX:
        raise UsageError(
            f"key {', '.join(columns)} is empty in {empty} of {num_rows} rows; at most "
            f"{EMPTY_SHARE_MAX:.0%} may go to quarantine: take another column, or fill it at the "
            "source"
        )


def _refuse_conflicts(
    columns: Sequence[str],
    conflicts: Mapping[tuple[str | None, ...], int],
    num_rows: int,
    *,
    hint: str,
) -> None:
    if rate_at_least(sum(conflicts.values()), num_rows) > CONFLICT_SHARE_MAX:
        raise UsageError(
            f"key {', '.join(columns)} names several rows {len(conflicts)} times, such as "
            f"{', '.join(map(str, next(iter(conflicts))))}; add a column to --key{hint}"
        )


def _said(columns: Sequence[str], empty: int, copies: int, conflicts: int) -> Sequence[str]:
    name, found = ", ".join(columns), []
    if empty:
        found.append(f"{_rows(empty)} without {name}: for quarantine")
    if copies:
        found.append(f"{_rows(copies)} the exact copy of another: counted as duplicates")
    if conflicts:
        found.append(
            f"{_rows(conflicts)} of a {name} that was there before, with other values: of one day "
            "the newest is kept and the others are duplicates, on a later day it is a correction"
        )
    return tuple(found)


def _rows(number: int) -> str:
    return "1 row is" if number == 1 else f"{number} rows are"
