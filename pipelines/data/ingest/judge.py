"""Which rows are kept: typed values, all reasons of a bad row, the latest of equal keys."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F  # noqa: N812

from expectations.rules import NotNull, Ordered, Rule
from pipelines.use_cases.spec.interval import GRAIN_MINUTES, Grain
from pipelines.use_cases.spec.use_case import Feed

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

# Epoch 0, 1900, 9999, or milliseconds read as seconds: no source publishes what happened, or is
# planned, so far from the day of publication. Of the event alone: other dates may be of any year,
# such as a birthday.
PLAUSIBLE_YEARS = 3


def common_rules(feed: Feed) -> tuple[Rule, ...]:
    """What holds for the rows of every feed of every case."""
    key = tuple(NotNull(name, because="it is part of the row's key") for name in feed.key)
    known = NotNull("known_at", because="without it nobody can say who knew the row when")
    if feed.kind == "snapshot":
        return (*key, known)
    happened = NotNull("event_at", because="a fact happened at some instant")
    order = Ordered("event_at", "known_at", because="nothing is published before it happened")
    return (*key, known, happened, order)


def judge(parsed: "DataFrame", feed: Feed, rules: Sequence[Rule], grain: Grain) -> "DataFrame":
    """The parsed rows with typed columns, `failed` texts, `reasons`, `is_bad` and `place`.

    `place` is 1 for the row that is kept of its key, more for its duplicates; bad rows have none.
    The last row of a file (`source_line` 0) is no record: all these are null there. `raw` is left
    only where quarantine needs it.
    """
    judged = parsed.withColumn("reasons", _reasons(feed, rules, grain)).drop("problem")
    flagged = judged.withColumn("is_bad", F.size("reasons") > 0)
    # What comes typed has no text of its own.
    raw = F.coalesce("raw", F.to_json(F.struct(*feed.column_names)))
    return flagged.withColumns({"raw": F.when(F.col("is_bad"), raw), "place": _place(feed)})


def _reasons(feed: Feed, rules: Sequence[Rule], grain: Grain) -> "Column":
    wrong_types = [_wrong_type(column.name, column.type) for column in feed.columns]
    broken = [_broken(rule, feed) for rule in (*common_rules(feed), *rules)]
    instants = [_implausible("event_at")] if "event_at" in feed.column_names else []
    found = F.array(*wrong_types, *broken, *instants, _foreign(grain))
    unread = F.col("problem")
    reasons = F.when(unread.isNotNull(), F.array(unread)).otherwise(F.array_compact(found))
    return F.when(F.col("source_line") > 0, reasons)


def _wrong_type(name: str, type_: str) -> "Column":
    text = F.col("failed")[name]
    article = "an" if type_ == "int" else "a"
    shown = F.concat(F.lit(f"{name}: '"), F.left(text, F.lit(100)), F.lit(f"' is not {article} "))
    return F.when(text.isNotNull(), F.concat(shown, F.lit(type_)))


def _broken(rule: Rule, feed: Feed) -> "Column":
    broken = ~F.expr(rule.predicate)
    failable = {column.name for column in feed.columns}
    if isinstance(rule, NotNull) and rule.column in failable:
        # A value of a wrong type is not a missing one: it has its own reason.
        broken &= F.col("failed")[rule.column].isNull()
    return F.when(broken, F.lit(rule.reason))


def _implausible(name: str) -> "Column":
    day = F.col("part_start").cast("date")
    value = F.col(name).cast("date")
    years = F.lit(12 * PLAUSIBLE_YEARS)
    outside = (value < F.add_months(day, -years)) | (value > F.add_months(day, years))
    said = F.concat(F.lit(f"{name}: "), F.col(name).cast("string"))
    because = f" is more than {PLAUSIBLE_YEARS} years from the day it was published"
    return F.when(outside, F.concat(said, F.lit(because)))


def _foreign(grain: Grain) -> "Column":
    """Published at another time than the part of the landing that holds it."""
    step = timedelta(minutes=GRAIN_MINUTES[grain])
    start, known_at = F.col("part_start"), F.col("known_at")
    outside = (known_at < start) | (known_at >= start + F.lit(step))
    said = F.concat(F.lit("known_at: "), known_at.cast("string"))
    where = F.concat(F.lit(f" is not in the {grain.replace('_', ' ')} from "), start.cast("string"))
    return F.when(outside, F.concat(said, where, F.lit(", whose landing has this row")))


def _place(feed: Feed) -> "Column":
    """Latest `known_at`, then file, then line; within a part, so that a range of days gives the
    same rows as the days one by one.
    """
    newest = [F.col(name).desc() for name in ("known_at", "source_file", "source_line")]
    same_key = Window.partitionBy("part_start", "is_bad", *feed.key).orderBy(*newest)
    return F.when(~F.col("is_bad"), F.row_number().over(same_key))
