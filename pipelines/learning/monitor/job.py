"""Compare the answers of late with the rows that the champion was promoted by; keep a verdict.

A verdict depends on the interval's end alone: it looks back from there. Of several answers to one
decision the newest counts. As proof of quality only those count that are out of sample: decided at
or after the cutoff of the version that gave them, when their labels were not known yet.
"""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from sqlalchemy import insert, select

from pipelines.core import cases, journal
from pipelines.core.errors import CheckFailed, NothingDue
from pipelines.core.outcomes import Outcome, Watched
from pipelines.core.stage import Context
from pipelines.learning import champion, gate, registry
from pipelines.learning.champion import Champion
from pipelines.learning.monitor import days, policy, quality
from pipelines.learning.monitor.drift import Drift, compare, compared
from pipelines.stores import objects
from pipelines.stores.delta import instant
from pipelines.use_cases.spec.model import LABELS, Model

if TYPE_CHECKING:
    from models.spec import ModelSpec

log = logging.getLogger(__name__)

# Labels come late, and a metric needs many: quality looks back further than drift.
QUALITY_DAYS = 14

_MICROSECOND = timedelta(microseconds=1)


def run(context: Context) -> Outcome[Watched]:
    """Judge the champion's predictions up to the interval's end, and say if retraining is due.

    Raises:
        NothingDue: no champion answered the interval.
        CheckFailed: the interval's predictions, the labels or the reference are not there.
    """
    model = context.model
    _require_published(context)
    best, spec = _predictor(context), cases.model(context.case.name, model)
    reference = _reference(context, best)
    current = _fetch(context, _answers_query(context, spec))
    log.info(
        "%d answers to compare with the reference of version %d", current.num_rows, best.version
    )
    drift, page = _compared(context, spec, best, reference, current)
    labelled = _fetch(context, _labelled_query(context, spec))
    now, promised = (_quality(context, spec, table) for table in (labelled, reference))
    judgement = policy.judge(drift, current.num_rows, now, promised, model.watch)
    flags = [judgement.drifted, *policy.newest_first(_verdicts_before(context, best))]
    trained = champion.last_training(context.engine, context.case.name, model.name)
    since = max(best.cutoff, trained.outcome.details.cutoff) if trained else best.cutoff
    due, why = policy.is_due(flags, model.watch, since, context.interval.end)
    reason = f"{judgement.reason}; {why}"
    log.info("%s", reason)
    row = {
        "model_version": best.version,
        "drifted": judgement.drifted,
        "due": due,
        "reason": reason,
        "statistics": {
            **_statistics(drift, now, promised, current.num_rows),
            **_answer_facts(context, spec, reference, current),
        },
        "page": page,
    }
    _record(context, row)
    return Outcome(
        rows={"predictions": current.num_rows, "labelled": now.num_rows},
        details=Watched(
            model_version=best.version,
            drifted=judgement.drifted,
            due=due,
            reason=reason,
            page=page,
            quality=dict(now.scores),
        ),
    )


def _quality(context: Context, spec: "ModelSpec", table: pa.Table) -> quality.Quality:
    """By the metric that the model is judged by."""
    metric = gate.metric_of(context.model.gate, spec.task)
    return quality.measured(table, spec.task, metric, context.model.watch)


def page_file(interval_key: str, case: str, attempt: int) -> str:
    """Where the page of an attempt is, relative to the reports."""
    return f"drift/{case}/{interval_key.replace('/', '_')}.{attempt}.html"


def _predictor(context: Context) -> Champion:
    """The champion that answered the interval; another may have been promoted since.

    Raises:
        NothingDue: nobody answered it.
    """
    table = context.read("gold", context.model.predictions)
    start, end = context.interval.start, context.interval.end
    newest = (
        f"select max_by(model_version, predicted_at) as version from {table} "
        f"where decided_date between {_date(start)} and {_date(end - _MICROSECOND)} "
        f"and decided_at > {instant(start)} and decided_at <= {instant(end)}"
    )
    version = context.spark.sql(newest).collect()[0]["version"]
    found = version and champion.of_version(
        context.engine, context.case.name, context.model.name, int(version)
    )
    if not found:
        raise NothingDue(f"{context.case.name} has no predictions of {context.interval} to watch")
    return found


def _require_published(context: Context) -> None:
    """Predictions must reach the interval's end; of labels there must be some.

    Raises:
        CheckFailed: they don't, or there are none; says what to run.
    """
    name = context.model.predictions
    pin, table = context.published("gold", name), context.case.table("gold", name)
    if pin is None or pin.until < context.interval.end:
        said = f"published until {pin.until:%Y-%m-%dT%H:%MZ}" if pin else "not published yet"
        raise CheckFailed(
            f"{table} is {said}, so {context.interval} can't be "
            f"judged; first run `millrace predict {context.case.name} --model {context.model.name} "
            f"--interval {context.interval}` and validate its predictions"
        )
    labels = context.case.table("gold", LABELS)
    if context.published("gold", LABELS) is None:
        raise CheckFailed(f"{labels} is not published; run build_features of {context.case.name}")


def _fetch(context: Context, query: str) -> pa.Table:
    return days.dated(context.spark.sql(query).toArrow())


def _answers_query(context: Context, spec: "ModelSpec") -> str:
    """The compared rows: a column that the predictions lack is left out, and counts as missing."""
    table = context.read("gold", context.model.predictions)
    asked = (*spec.columns.inputs, *spec.task.answer.names, days.DECIDED_AT)
    names = _held(context, table, asked)
    answers = _newest(context, context.model.watch.window_days)
    return f"select {names} from ({answers}) {_sampled(context.model)}"


def _held(context: Context, table: str, asked: Sequence[str]) -> str:
    """Those of the columns that a table has, as SQL names them."""
    held = set(context.spark.sql(f"select * from {table}").columns)
    return ", ".join(f"`{name}`" for name in dict.fromkeys(asked) if name in held)


def _labelled_query(context: Context, spec: "ModelSpec") -> str:
    """Answers out of sample with the newest label that was known by the interval's end."""
    model = context.model
    key = ", ".join(f"`{name}`" for name in model.row_key)
    task = spec.task
    asked = (*task.answer.names, *task.unit, *task.beside, days.DECIDED_AT)
    answer = _held(context, context.read("gold", model.predictions), asked)
    end = context.interval.end
    first, last = _date(end - timedelta(days=QUALITY_DAYS)), _date(end - _MICROSECOND)
    cutoffs = champion.cutoffs(context.engine, context.case.name, model.name)
    out_of_sample = " or ".join(
        f"model_version = {version} and decided_at >= {instant(cutoff)}"
        for version, cutoff in cutoffs.items()
    )
    answers = _newest(context, QUALITY_DAYS, f"({out_of_sample})")
    return (
        f"with known as (select {key}, max_by(`{model.label}`, known_at) as label "
        f"from {context.read('gold', LABELS)} "
        f"where known_date between {first} and {last} "
        f"and known_at < {instant(end)} group by {key}) "
        f"select {answer}, label from ({answers}) join known using ({key}) "
        f"where label is not null {_sampled(model)}"
    )


def _newest(context: Context, days: int, condition: str = "true") -> str:
    """The newest answer to each decision of the days up to the interval's end.

    A decision at midnight lies in the partition of the day that ends then.
    """
    key = ", ".join(f"`{name}`" for name in context.model.row_key)
    end = context.interval.end
    start = end - timedelta(days=days)
    return (
        f"select * from {context.read('gold', context.model.predictions)} "
        f"where decided_date between {_date(start)} and {_date(end - _MICROSECOND)} "
        f"and decided_at > {instant(start)} and decided_at <= {instant(end)} "
        f"and {condition} "
        f"qualify row_number() over (partition by {key}, decided_at order by predicted_at desc) = 1"
    )


def _sampled(model: Model) -> str:
    """The same rows at every run; both decisions of one row key share a hash."""
    key = ", ".join(f"`{name}`" for name in model.row_key)
    return f"order by xxhash64({key}), decided_at limit {model.watch.num_rows_max}"


def _date(at: datetime) -> str:
    return f"date'{at.astimezone(UTC):%Y-%m-%d}'"


def _reference(context: Context, best: Champion) -> pa.Table:
    """The champion's evaluation rows, scored."""
    known = registry.of(context.settings, context.case, context.model)
    file = pa.BufferReader(known.reference(known.version(best.version)))
    reference = days.dated(pq.read_table(file))
    if not reference.num_rows:
        raise CheckFailed(
            f"the reference of {known.name} version {best.version} has no rows; "
            "train again, or roll back"
        )
    return reference


def _compared(
    context: Context,
    spec: "ModelSpec",
    best: Champion,
    reference: pa.Table,
    current: pa.Table,
) -> tuple[Drift | None, str | None]:
    """The drift, and its page relative to the reports; neither where too few rows say anything."""
    watch = context.model.watch
    if current.num_rows < watch.num_rows_min:
        return None, None
    name = f"{context.case.name}.{context.model.name}"
    heading = f"{name} {context.interval}: version {best.version}"
    answer = compared(spec.task.answer)
    drift, page = compare(reference, current, spec.columns, answer, watch, heading)
    place = page_file(context.interval.key, name, context.attempt)
    objects.reports(context.settings).put(place, page)
    return drift, place


def _verdicts_before(context: Context, best: Champion) -> Sequence[policy.PastVerdict]:
    """Of earlier intervals on what was learned then: drift from another reference is no proof."""
    table, case, model = journal.verdicts, context.case.name, context.model.name
    same = champion.refreshed_from(context.engine, case, model, best.learned)
    rows = select(table.c.id, table.c.until, table.c.drifted).where(
        table.c.case_name == case,
        table.c.model == model,
        table.c.model_version.in_(same),
        table.c.until < context.interval.end,
    )
    with context.engine.connect() as connection:
        return [
            policy.PastVerdict(row.id, row.until, row.drifted) for row in connection.execute(rows)
        ]


def _statistics(
    drift: Drift | None, now: quality.Quality, promised: quality.Quality, num_rows: int
) -> dict[str, Any]:
    found = {**asdict(drift), "drifted_share": drift.drifted_share} if drift else {}
    return {
        "num_rows": num_rows,
        "quality": dict(now.scores),
        "quality_of_reference": dict(promised.scores),
        **found,
    }


def _answer_facts(
    context: Context, spec: "ModelSpec", reference: pa.Table, current: pa.Table
) -> dict[str, Any]:
    before, now = quality.answer_facts(reference, current, spec.task, context.model.watch)
    return {"answer_facts": dict(now), "answer_facts_of_reference": dict(before)}


def _record(context: Context, verdict: dict[str, Any]) -> None:
    row = insert(journal.verdicts).values(
        case_name=context.case.name,
        model=context.model.name,
        interval=context.interval.key,
        until=context.interval.end,
        attempt=context.attempt,
        **verdict,
    )
    with context.commit() as connection:
        connection.execute(row)
