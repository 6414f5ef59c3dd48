"""The whole tables that a model's family learns from beside the training set, as files."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from models import artifact
from pipelines.core.stage import Context
from pipelines.stores import delta


@dataclass(frozen=True)
class Tables:
    """What was known of each by an instant, in a fixed order, as Parquet.

    Args:
        files: by the table's name in its case.
        digest: of their files: equal digests, equal tables.
        versions: that were read, by published name.
    """

    files: Mapping[str, Path]
    digest: str
    versions: Mapping[str, int]


def written(context: Context, until: datetime, folder: Path) -> Tables:
    """Write the model's tables into a folder, each as known before an instant.

    They reach back as far as the training set does: no further, because a source that repeats
    itself, as a replayed year does, would tell of its future.

    Raises:
        CheckFailed: one is not published up to the interval's end.
    """
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    since = context.interval.end - timedelta(days=context.model.look_back_days)
    states = {state.name for state in context.case.entity_states}
    files, digests, versions = {}, [], {}
    for layer, name in context.model.whole_tables:
        read = context.read_known(layer, name)
        span = _span(since, until, of_states=name in states)
        rows = context.spark.sql(f"select * from {read} where {span} order by all").toArrow()
        files[name] = folder / f"{name}.parquet"
        pq.write_table(rows, files[name])
        digests.append(f"{name} {artifact.sha256_of(files[name])}")
        place = context.case.table(layer, name)
        versions[place] = context.reads[place]
    return Tables(files, " ".join(digests), versions)


def _span(since: datetime, until: datetime, *, of_states: bool) -> str:
    """Facts known before an instant; a state at it holds what was known before it."""
    first, last = delta.instant(since), delta.instant(until)
    if of_states:
        return f"known_at > {first} and known_at <= {last}"
    return f"known_at >= {first} and known_at < {last}"
