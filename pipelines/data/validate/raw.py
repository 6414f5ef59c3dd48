"""The raw layer: each feed's kept rows, and how many rows had to go to quarantine."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from expectations.rates import rate_at_least
from expectations.suites import bronze_suite, intake_suite
from pipelines.core import cases
from pipelines.core.outcomes import Outcome, Validated
from pipelines.core.stage import Context
from pipelines.data.validate.check import Check
from pipelines.data.validate.job import publish_proven
from pipelines.stores.delta import partition_predicate
from pipelines.use_cases.spec.interval import GRAIN_MINUTES
from pipelines.use_cases.spec.use_case import Feed, Layer

if TYPE_CHECKING:
    import pandas as pd


# Rows by feed and layer, of each part that has any.
Counts: TypeAlias = Mapping[tuple[str, Layer], Sequence[int]]

_LAYERS: tuple[Layer, Layer] = ("bronze", "quarantine")


def run(context: Context) -> Outcome[Validated]:
    """Prove the kept and the quarantined rows of every feed, and publish them."""
    return publish_proven(context, checks(context))


def checks(context: Context) -> Iterator[Check]:
    """A check of the bronze and one of the quarantine table of every feed."""
    rows = {
        (feed.name, layer): _rows(context, layer, feed)
        for feed in context.case.feeds
        for layer in _LAYERS
    }
    counts = _count(context, {key: query for key, (_, query) in rows.items()})
    rules = cases.contract(context.case.name).row_rules()
    for feed in context.case.feeds:
        version, query = rows[feed.name, "bronze"]
        yield Check(
            layer="bronze",
            name=feed.name,
            version=version,
            frame=context.spark.sql(query),
            expectations=bronze_suite(
                feed.column_names, feed.key, _part_column(context), rules.get(feed.name, ())
            ),
        )
        kept, quarantined = (counts[feed.name, layer] for layer in _LAYERS)
        num_due = len(feed.parts(context.interval, context.case.grain))
        yield Check(
            layer="quarantine",
            name=feed.name,
            version=rows[feed.name, "quarantine"][0],
            frame=_intake(kept, quarantined, num_due),
            expectations=intake_suite(
                context.case.quarantine_rate_max, sum(kept), sum(quarantined)
            ),
        )


def _part_column(context: Context) -> str:
    """What tells the parts of a landing apart in bronze: days have a column, no smaller ones."""
    return "known_date" if context.case.grain == "day" else "known_at"


def _rows(context: Context, layer: Layer, feed: Feed) -> tuple[int, str]:
    """The version built for this interval, and the query of the interval's rows in it."""
    version = context.built_version(layer, feed.name)
    table = context.case.build_table(layer, feed.name)
    where = partition_predicate(context.interval)
    return version, f"select * from {table} version as of {version} where {where}"


def _count(context: Context, queries: Mapping[tuple[str, Layer], str]) -> Counts:
    """All tables in one Spark job."""
    seconds = GRAIN_MINUTES[context.case.grain] * 60
    counted = (
        f"select '{feed}' as feed, '{layer}' as layer, count(*) as num_rows from ({query}) "
        f"group by unix_seconds(known_at) div {seconds}"
        for (feed, layer), query in queries.items()
    )
    found: dict[tuple[str, Layer], list[int]] = {key: [] for key in queries}
    for row in context.spark.sql(" union all ".join(counted)).collect():
        found[row.feed, row.layer].append(row.num_rows)
    return found


def _intake(kept: Sequence[int], quarantined: Sequence[int], num_due: int) -> "pd.DataFrame":
    """One row. Duplicates are not counted: copies of good rows must not hide bad ones.

    Args:
        kept, quarantined: rows of each part that has any.
        num_due: parts that should have.
    """
    import pandas as pd

    num_bad, num_rows = sum(quarantined), sum(kept) + sum(quarantined)
    row = {
        "num_kept": sum(kept),
        "num_quarantined": num_bad,
        "quarantine_rate": num_bad / num_rows if num_rows else 0.0,
        "quarantine_rate_at_least": rate_at_least(num_bad, num_rows),
        "num_parts_without_rows": num_due - len(kept),
    }
    return pd.DataFrame([row])
