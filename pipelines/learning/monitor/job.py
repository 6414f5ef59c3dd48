"""Compare the answers of late with the rows that the champion was promoted by; keep a verdict.

A verdict depends on the interval's end alone: it looks back from there. Of several answers to one
decision the newest counts. As proof of quality only those count that are out of sample: decided at
or after the cutoff of the version that gave them, when their labels were not known yet.
"""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from sqlalchemy import insert, select

from models.columns import Columns
from pipelines.core import cases, journal
from pipelines.core.errors import CheckFailed, NothingDue
from pipelines.core.outcomes import Outcome, Watched
from pipelines.core.stage import Context
from pipelines.learning import champion
from pipelines.learning.champion import Champion
from pipelines.learning.monitor import policy
from pipelines.learning.monitor.drift import PREDICTION, Drift, compare
from pipelines.stores import mlflow, objects
from pipelines.stores.delta import instant
from pipelines.use_cases.spec.training import LABELS, PREDICTIONS, Training

log = logging.getLogger(__name__)

# Labels come late, and ROC AUC needs many: quality looks back further than drift.
QUALITY_DAYS = 14

_MICROSECOND = timedelta(microseconds=1)


def run(context: Context) -> Outcome[Watched]:
    """Judge the champion's predictions up to the interval's end, and say if retraining is due.

    Raises:
        NothingDue: no champion answered the interval.
        CheckFailed: the interval's predictions, the labels or the reference are not there.
    """
    training = context.training
    _require_published(context)
    best, columns = _predictor(context), cases.model(context.case.name).MODEL.columns
    current = _fetch(context, _answers_query(context, training, columns))
    log.info(
        "%d answers to compare with the reference of version %d", current.num_rows, best.version
    )
    reference = _reference(context, best)
    drift, page = _compared(context, columns, best, reference, current)
    labelled = _fetch(context, _labelled_query(context, training))
    quality = policy.quality(labelled, training.watch.num_rows_min)
    promised = policy.quality(reference, training.watch.num_rows_min)
    judgement = policy.judge(drift, current.num_rows, quality, promised.roc_auc, training.watch)
    flags = [judgement.drifted, *policy.newest_first(_verdicts_before(context, best))]
    trained = champion.last_training(context.engine, context.case.name)
    since = max(best.cutoff, trained.outcome.details.cutoff) if trained else best.cutoff
    due, why = policy.is_due(flags, training.watch, since, context.interval.end)
    reason = f"{judgement.reason}; {why}"
    log.info("%s", reason)
    row = {
        "model_version": best.version,
        "drifted": judgement.drifted,
        "due": due,
        "reason": reason,
        "statistics": _statistics(drift, quality, promised, current.num_rows),
        "page": page,
    }
    _record(context, row)
    return Outcome(
        rows={"predictions": current.num_rows, "labelled": quality.num_labelled},
        details=Watched(
            model_version=best.version,
            drifted=judgement.drifted,
            due=due,
            reason=reason,
            page=page,
            quality=asdict(quality),
        ),
    )


def page_file(interval_key: str, case: str, attempt: int) -> str:
    """Where the page of an attempt is, relative to the reports."""
    return f"drift/{case}/{interval_key.replace('/', '_')}.{attempt}.html"


def _predictor(context: Context) -> Champion:
    """The champion that answered the interval; another may have been promoted since.

    Raises:
        NothingDue: nobody answered it.
    """
    table = context.read("gold", PREDICTIONS)
    start, end = context.interval.start, context.interval.end
    newest = (
        f"select max_by(model_version, predicted_at) as version from {table} "
        f"where decided_date between {_date(start)} and {_date(end - _MICROSECOND)} "
        f"and decided_at > {instant(start)} and decided_at <= {instant(end)}"
    )
    version = context.spark.sql(newest).collect()[0]["version"]
    found = version and champion.of_version(context.engine, context.case.name, int(version))
    if not found:
        raise NothingDue(f"{context.case.name} has no predictions of {context.interval} to watch")
    return found


def _require_published(context: Context) -> None:
    """Predictions must reach the interval's end; of labels there must be some.

    Raises:
        CheckFailed: they don't, or there are none; says what to run.
    """
    pin, table = context.published("gold", PREDICTIONS), context.case.table("gold", PREDICTIONS)
    if pin is None or pin.until < context.interval.end:
        said = f"published until {pin.until:%Y-%m-%dT%H:%MZ}" if pin else "not published yet"
        raise CheckFailed(
            f"{table} is {said}, so {context.interval} can't be "
            f"judged; first run `millrace predict {context.case.name} --interval "
            f"{context.interval}` and validate its predictions"
        )
    labels = context.case.table("gold", LABELS)
    if context.published("gold", LABELS) is None:
        raise CheckFailed(f"{labels} is not published; run build_features of {context.case.name}")


def _fetch(context: Context, query: str) -> pa.Table:
    return context.spark.sql(query).toArrow()


def _answers_query(context: Context, training: Training, columns: Columns) -> str:
    """The compared rows: a column that the predictions lack is left out, and counts as missing."""
    table = context.read("gold", PREDICTIONS)
    held = set(context.spark.sql(f"select * from {table}").columns)
    names = [f"`{name}`" for name in (*columns.inputs, PREDICTION) if name in held]
    answers = _newest(context, training, training.watch.window_days)
    return f"select {', '.join(names)} from ({answers}) {_sampled(training)}"


def _labelled_query(context: Context, training: Training) -> str:
    """Answers out of sample with the newest label that was known by the interval's end."""
    key = ", ".join(f"`{name}`" for name in training.row_key)
    end = context.interval.end
    first, last = _date(end - timedelta(days=QUALITY_DAYS)), _date(end - _MICROSECOND)
    cutoffs = champion.cutoffs(context.engine, context.case.name)
    out_of_sample = " or ".join(
        f"model_version = {version} and decided_at >= {instant(cutoff)}"
        for version, cutoff in cutoffs.items()
    )
    answers = _newest(context, training, QUALITY_DAYS, f"({out_of_sample})")
    return (
        f"with known as (select {key}, max_by(`{training.label}`, known_at) as label "
        f"from {context.read('gold', LABELS)} "
        f"where known_date between {first} and {last} "
        f"and known_at < {instant(end)} group by {key}) "
        f"select `{PREDICTION}`, label from ({answers}) join known using ({key}) "
        f"where label is not null {_sampled(training)}"
    )


def _newest(context: Context, training: Training, days: int, condition: str = "true") -> str:
    """The newest answer to each decision of the days up to the interval's end.

    A decision at midnight lies in the partition of the day that ends then.
    """
    key = ", ".join(f"`{name}`" for name in training.row_key)
    end = context.interval.end
    start = end - timedelta(days=days)
    return (
        f"select * from {context.read('gold', PREDICTIONS)} "
        f"where decided_date between {_date(start)} and {_date(end - _MICROSECOND)} "
        f"and decided_at > {instant(start)} and decided_at <= {instant(end)} "
        f"and {condition} "
        f"qualify row_number() over (partition by {key}, decided_at order by predicted_at desc) = 1"
    )


def _sampled(training: Training) -> str:
    """The same rows at every run; both decisions of one row key share a hash."""
    key = ", ".join(f"`{name}`" for name in training.row_key)
    return f"order by xxhash64({key}), decided_at limit {training.watch.num_rows_max}"


def _date(at: datetime) -> str:
    return f"date'{at.astimezone(UTC):%Y-%m-%d}'"


def _reference(context: Context, best: Champion) -> pa.Table:
    """The champion's evaluation rows, scored."""
    client = mlflow.connect(context.settings)
    version = mlflow.version(client, context.case.name, best.version)
    reference = pq.read_table(pa.BufferReader(mlflow.reference_file(client, version)))
    if not reference.num_rows:
        raise CheckFailed(
            f"the reference of {context.case.name} version {best.version} has no rows; "
            "train again, or roll back"
        )
    return reference


def _compared(
    context: Context, columns: Columns, best: Champion, reference: pa.Table, current: pa.Table
) -> tuple[Drift | None, str | None]:
    """The drift, and its page relative to the reports; neither where too few rows say anything."""
    watch = context.training.watch
    if current.num_rows < watch.num_rows_min:
        return None, None
    heading = f"{context.case.name} {context.interval}: version {best.version}"
    drift, page = compare(reference, current, columns, watch, heading)
    place = page_file(context.interval.key, context.case.name, context.attempt)
    objects.reports(context.settings).put(place, page)
    return drift, place


def _verdicts_before(context: Context, best: Champion) -> Sequence[policy.PastVerdict]:
    """Of earlier intervals on the same model: drift from another's reference is no proof."""
    table = journal.verdicts
    rows = select(table.c.id, table.c.until, table.c.drifted).where(
        table.c.case_name == context.case.name,
        table.c.model_version == best.version,
        table.c.until < context.interval.end,
    )
    with context.engine.connect() as connection:
        return [
            policy.PastVerdict(row.id, row.until, row.drifted) for row in connection.execute(rows)
        ]


def _statistics(
    drift: Drift | None, quality: policy.Quality, promised: policy.Quality, num_rows: int
) -> dict[str, Any]:
    compared = {**asdict(drift), "drifted_share": drift.drifted_share} if drift else {}
    return {
        "num_rows": num_rows,
        "quality": asdict(quality),
        "quality_of_reference": asdict(promised),
        **compared,
    }


def _record(context: Context, verdict: dict[str, Any]) -> None:
    row = insert(journal.verdicts).values(
        case_name=context.case.name,
        interval=context.interval.key,
        until=context.interval.end,
        attempt=context.attempt,
        **verdict,
    )
    with context.commit() as connection:
        connection.execute(row)
