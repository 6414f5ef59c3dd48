"""The same point-in-time join on Spark, which has no join for it: for what no process should hold.

Rows and states of a key run past in one sorted stream, in which each row meets the newest state so
far. A stretch of the stream is as long as the TTL and a state belongs to its own and the next one,
so that neither a key nor a year has to fit one worker.
"""

from typing import TYPE_CHECKING

from pipelines.stores.asof import States

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def joined(asked: "DataFrame", found: "DataFrame", states: States, at: str) -> "DataFrame":
    """The rows of `asked`, each once, with what of `found` counts at its instant `at`."""
    from pyspark.sql.connect import functions as f
    from pyspark.sql.connect.window import Window

    columns = [f"asked.{name}" for name in map(_quoted, asked.columns)]
    keys = [f"k{number}" for number, _ in enumerate(states.keys)]
    stream = _rows(asked, states, at).unionByName(_known(found, states), allowMissingColumns=True)
    so_far = (
        Window.partitionBy("stretch", *keys)
        .orderBy("known", f.col("asked").isNotNull())
        .rowsBetween(Window.unboundedPreceding, Window.currentRow)
    )
    newest = f.max_by("state", "age").over(so_far)
    met = stream.select("asked", "known", newest.alias("newest")).where("asked is not null")
    alive = f"newest.at >= known - {states.ttl_micros}" if states.ttl else "true"
    features = [
        f.expr(f"if({alive}, newest.f{number}, null)").alias(name)
        for number, name in enumerate(states.features.values())
    ]
    return met.select(*columns, *features)


def _rows(asked: "DataFrame", states: States, at: str) -> "DataFrame":
    instant = _micros(at)
    return asked.selectExpr(
        f"{_stretch(states, instant)} as stretch",
        *(f"{_quoted(key)} as k{number}" for number, key in enumerate(states.keys.values())),
        f"{instant} as known",
        "struct(*) as asked",
    )


def _known(found: "DataFrame", states: States) -> "DataFrame":
    """The states, each in its own stretch and the next, without those that can never count."""
    instant = _micros(states.at)
    created = _micros(states.created) if states.created else "0L"
    stretch = _stretch(states, instant)
    features = "".join(f", {_quoted(name)} as f{n}" for n, name in enumerate(states.features))
    needed = [*states.keys, *([states.created] if states.created and states.waits else [])]
    whole = found.where(" and ".join(["true", *(f"{_quoted(k)} is not null" for k in needed)]))
    return whole.selectExpr(
        f"explode(array({stretch}, {stretch} + 1)) as stretch" if states.ttl else "0L as stretch",
        *(f"{_quoted(key)} as k{number}" for number, key in enumerate(states.keys)),
        f"greatest({instant}, {created}) as known" if states.waits else f"{instant} as known",
        f"struct({instant} as at, {created} as created) as age",
        f"struct({instant} as at{features}) as state",
    )


def _stretch(states: States, instant: str) -> str:
    return f"{instant} div {states.ttl_micros}" if states.ttl else "0L"


def _micros(column: str) -> str:
    """An instant of a column, which may be without a zone: it is in the session's then, UTC."""
    return f"unix_micros(cast({_quoted(column)} as timestamp))"


def _quoted(name: str) -> str:
    escaped = name.replace("`", "``")
    return f"`{escaped}`"
