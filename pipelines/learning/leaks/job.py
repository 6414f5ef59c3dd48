"""The stage `leaks`: what a model may know too early, looked for in three ways.

A finding is a warning: it keeps no model from being promoted (docs/decisions/0028-leaks.md).
"""

import hashlib
import json
import logging
from typing import TYPE_CHECKING

from pipelines.core import cases, journal
from pipelines.core.errors import MillraceError, NothingDue
from pipelines.core.outcomes import Audited, Deciding, Fading, Outcome
from pipelines.core.registry import LEAKS
from pipelines.core.stage import Context
from pipelines.learning.leaks import moved, older, rebuild
from pipelines.learning.leaks.alone import NUM_ROWS_MIN, Asked
from pipelines.stores import dbt
from pipelines.use_cases.spec.model import DECISIONS

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

    from models.spec import ModelSpec

log = logging.getLogger(__name__)

# A midnight shows what a daily state takes from the day after, an instant within a day what all
# others take from the rest of it. Each costs about a night's transform.
NUM_CUTS = 2
# They say to some thousandths what an input tells, in a tenth of a second an input.
NUM_ROWS_MAX = 50_000


def run(context: Context) -> Outcome[Audited]:
    """Build tables anew at some instants of the interval, and ask each input alone.

    Raises:
        NothingDue: only what changed was to be looked at, and nothing did.
        CheckFailed: a table is not published up to the interval's end, or its SQL failed.
    """
    spec = cases.model(context.case.name, context.model)
    code = _code(context, spec)
    if context.options.get("changed") and code == _looked_at(context):
        raise NothingDue("this SQL and these inputs were looked at before")
    rows, unsaid = _training_set(context)
    asked = None if rows is None else _asked(context, spec, rows)
    alone = _found(context, asked) if asked else ()
    cuts = rebuild.cuts(context, NUM_CUTS)
    built, num_compared = moved.found(context, cuts)
    details = Audited(
        moved=built,
        fading=tuple(each for each in alone if isinstance(each, Fading)),
        deciding=tuple(each for each in alone if isinstance(each, Deciding)),
        cuts=cuts,
        num_inputs=len(asked.names) if asked else 0,
        unsaid=(*unsaid, *_not_asked(spec)),
        code=code,
    )
    if context.options.get("json"):
        # Else they are the command's answer.
        for finding in details.findings:
            log.warning("LEAK? %s.%s: %s", context.case.name, context.model.name, finding)
    return Outcome(
        rows={"compared": num_compared, "asked": 0 if rows is None else rows.num_rows},
        details=details,
    )


def _code(context: Context, spec: "ModelSpec") -> str:
    """Of what leaks come from: the case's SQL, and what the model is asked with."""
    sql = dbt.digest(context.case)
    inputs = json.dumps(spec.columns.to_json(), sort_keys=True)
    return hashlib.sha256(f"{sql} {context.case.entity_states} {inputs}".encode()).hexdigest()


def _looked_at(context: Context) -> str | None:
    """The code that was looked at last."""
    mine = journal.runs.c.model == context.model.name
    done = journal.newest_done(context.engine, context.case.name, LEAKS, mine)
    return done.outcome.details.code if done else None


def _training_set(context: Context) -> "tuple[pa.Table | None, tuple[str, ...]]":
    """The rows that the model learns from, or some of them; else why there are none."""
    name, interval = context.model.training_set, context.interval
    pin, table = context.published("gold", name), context.case.table("gold", name)
    if pin is None or pin.interval != interval.key:
        held = f"that of {pin.interval}" if pin else "none"
        return None, (f"no input was asked: {table} of {interval} is not published, {held} is",)
    key = ", ".join(f"`{each}`" for each in (*context.model.row_key, "known_at"))
    rows = context.spark.sql(f"""
        select *, unix_date(to_date(known_at)) as day from {context.read("gold", name)}
        order by xxhash64({key}) limit {NUM_ROWS_MAX}
    """)
    found = rows.toArrow()
    if found.num_rows < NUM_ROWS_MIN:
        few = f"{table} has {found.num_rows} rows, {NUM_ROWS_MIN} are needed"
        return None, (f"no input was asked: {few}",)
    return found, ()


def _asked(context: Context, spec: "ModelSpec", rows: "pa.Table") -> Asked:
    decided = context.spark.sql(f"select * from {context.read('gold', DECISIONS)}").columns
    before = older.of(context, rows, decided)
    return Asked(spec=spec, label=context.model.label, rows=rows, older=before)


def _found(context: Context, asked: Asked) -> tuple[Deciding | Fading, ...]:
    """What the inputs tell.

    Raises:
        MillraceError: a label or an input is none of the model's.
    """
    from models.errors import ModelError

    try:
        return tuple(asked.found())
    except ModelError as error:
        name = f"{context.case.name}.{context.model.name}"
        raise MillraceError(f"leaks of {name}: {error}; assemble the training set again") from error


def _not_asked(spec: "ModelSpec") -> tuple[str, ...]:
    """A list is many inputs in one."""
    lists = (*spec.columns.numeric_lists, *spec.columns.categorical_lists)
    return (f"lists were not asked: {', '.join(lists)}",) if lists else ()
