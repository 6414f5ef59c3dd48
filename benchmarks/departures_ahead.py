"""How good forecasts of up to 72 hours are: January to September 2013 learned, then judged.

The year goes through the platform's own stages (`contest/year.py`, with its environment). Of each
model one reconciled blend is learned; its members are judged, too, beside the seasonal naive
forecast. Every midnight of October to December is an origin, as the gate's are: none of its hours
was learned from. Validation, which says when to stop and how wide intervals are: every sixth week
of January to September.

The table is kept in `benchmarks/tables/departures_ahead.parquet`, which git ignores.

Environment:
    MILLRACE_DEPARTURES_TABLE: another path; a table that is there is used again, no stage runs.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from benchmarks.contest import year
from benchmarks.harness import RESULTS, append, circumstances
from models import artifact, families
from models.departures_ahead import MODELS
from models.family import Settings
from models.job import Job
from models.seasonal_naive.settings import SeasonalNaive
from models.spec import ModelSpec
from models.tasks import Forecast
from models.tasks.bootstrap import Bootstrap, ConfidenceInterval
from models.tasks.means import divided, summed
from models.tasks.task import Array, Evidence, Metric, units_of
from pipelines.use_cases import find

CASE = find("departures_ahead")
ASKED = year.Asked(CASE, tuple(MODELS))
TEST_FROM = datetime(2013, 10, 1, tzinfo=UTC)
# A year has four weeks of lags to begin with, and labels of three days at its end.
FIRST, LAST = datetime(2013, 1, 30, tzinfo=UTC), datetime(2013, 12, 29, tzinfo=UTC)
VALIDATION_EVERY_WEEKS = 6
NAIVE = SeasonalNaive(by=("carrier",))
# Of the models that the bars are for; intervals of counts that are mostly 0 hold more.
MASE_MAX, SAVED_MIN, COVERAGE = 0.8, 0.25, (0.77, 0.83)
BARRED = ("cancellations", "delay")
PACKAGES = ("lightgbm", "torch", "numpy", "pyarrow")


def main() -> None:
    """Make or read the table, let all compete, print what they came to and keep it."""
    given = os.environ.get("MILLRACE_DEPARTURES_TABLE")
    path = Path(given) if given else RESULTS.parent / "tables" / "departures_ahead.parquet"
    table = year.table(path, anew=given is None, asked=ASKED)
    made_by = (table.schema.metadata or {}).get(year.MADE_BY, b"unknown").decode()
    found = {name: judged(name, table) for name in MODELS}
    row = {
        "goal": "departures_ahead",
        "models": found,
        "bars": {"mase": MASE_MAX, "pinball_saved": SAVED_MIN, "coverage": COVERAGE},
        "met": {name: met(found[name]["reconciled"]["all"]) for name in BARRED},
        "table_made_by": made_by,
        **circumstances(PACKAGES),
    }
    print("\n".join(lines(row)))
    append("departures_ahead", row)


def met(figures: Mapping[str, Any]) -> dict[str, bool]:
    """Which bars were met, by the estimates."""
    low, high = COVERAGE
    return {
        "mase": figures["mase"]["estimate"] <= MASE_MAX,
        "pinball_saved": figures["pinball_saved"]["estimate"] >= SAVED_MIN,
        "coverage": low <= figures["interval_coverage"]["estimate"] <= high,
    }


@dataclass(frozen=True)
class Parts:
    """The rows to learn from, those that say when to stop, and those that are judged."""

    training: pa.Table
    validation: pa.Table
    test: pa.Table


def in_time_order(table: pa.Table, label: str) -> Parts:
    """Rows with this label; what was decided before the test and known in it is in no part."""
    known_at = table["known_at"].cast(pa.timestamp("us", "UTC"))
    within = pc.and_(pc.greater_equal(known_at, FIRST), pc.less(known_at, LAST))
    table = table.filter(pc.and_(within, pc.is_valid(table[label])))
    known_at = table["known_at"].cast(pa.timestamp("us", "UTC"))
    is_test = pc.greater_equal(known_at, TEST_FROM)
    is_news = pc.greater_equal(table["label_known_at"].cast(known_at.type), TEST_FROM)
    is_learned = pc.invert(pc.or_(is_test, is_news))
    day = known_at.cast(pa.date32()).to_numpy().astype("datetime64[D]").astype(int)
    held = pa.array(day // 7 % VALIDATION_EVERY_WEEKS == 0)
    return Parts(
        training=table.filter(pc.and_(is_learned, pc.invert(held))),
        validation=table.filter(pc.and_(is_learned, held)),
        test=table.filter(is_test).append_column("day", pa.array(day).filter(is_test)),
    )


def judged(name: str, table: pa.Table) -> dict[str, Any]:
    """The figures of each contestant for one model's label, by the rows they are of."""
    spec, label = MODELS[name], CASE.model(name).label
    assert isinstance(spec.task, Forecast)
    parts = in_time_order(table, label)
    with tempfile.TemporaryDirectory() as folder:
        naive = learned(spec, NAIVE, label, parts, Path(folder) / "naive")
        ours = learned(spec, spec.settings, label, parts, Path(folder) / "ours")
        opened = {"seasonal naive": artifact_of(naive), **dict(contestants(ours))}
        said = {who: model.score(parts.test) for who, model in opened.items()}
    units = units_of(parts.test, spec.task.unit)
    evidence = {who: spec.task.evidence(label, parts.test, s, units) for who, s in said.items()}
    rows = kinds(parts.test)
    return {
        who: {
            kind: figures(spec.task, evidence["seasonal naive"].where(kept), each.where(kept))
            for kind, kept in rows.items()
        }
        for who, each in evidence.items()
    }


def learned(spec: ModelSpec, settings: Settings, label: str, parts: Parts, folder: Path) -> Job:
    """One model by its family's own process."""
    folder.mkdir()
    tables = {role: folder / f"{role}.parquet" for role in ("training", "validation")}
    for role, path in tables.items():
        pq.write_table(getattr(parts, role), path)
    job = Job(
        spec=replace(spec, settings=settings),
        label=label,
        tables=tables,
        folder=folder,
        num_threads=os.cpu_count() or 1,
    )
    job.write(folder / "job.json")
    command = families.find(settings.family).command(folder / "job.json", num_processes=1)
    subprocess.run(command, check=True)
    return job


def artifact_of(job: Job) -> artifact.Model:
    return artifact.open_folder(job.artifact, job.seal(), num_threads=os.cpu_count() or 1)


def contestants(job: Job) -> Iterator[tuple[str, artifact.Model]]:
    """The reconciled blend, the blend that it reconciles, and what that blends."""
    yield "reconciled", artifact_of(job)
    blend = job.folder / "members" / "forecasts"
    places = {"blend": blend, **{name: blend / "members" / name for name in ("trees", "net")}}
    for name, place in places.items():
        folder = place / "artifact"
        digest = artifact.sha256_of(folder / artifact.MANIFEST)
        yield name, artifact.open_folder(folder, digest, num_threads=os.cpu_count() or 1)


def kinds(table: pa.Table) -> dict[str, Array]:
    """Which rows figures are of: all, by level, by the day ahead; beyond the schedule apart."""
    horizon = table["horizon_hours"].to_numpy()
    is_whole = np.array(pc.equal(table["carrier"], "all"))
    is_published = np.array(table["is_published"]).astype(bool)
    days = {f"day {day}": (horizon - 1) // 24 == day - 1 for day in (1, 2, 3)}
    return {
        "all": np.ones(len(horizon), bool),
        "airports": is_whole,
        "airlines": ~is_whole,
        "beyond the schedule": ~is_published,
        **days,
    }


def figures(task: Forecast, naive: Evidence, ours: Evidence) -> dict[str, Any]:
    """MASE, pinball loss saved against the naive forecast's, coverage; with intervals over days."""
    bootstrap = Bootstrap()
    metrics = (task.metric("mase"), saved(task, naive), task.metric("interval_coverage"))
    found = {metric.name: shown(bootstrap.interval(metric, ours)) for metric in metrics}
    tails = {
        "share_below": float((ours.label_B < ours.answer_BO[:, 0]).mean()),
        "share_above": float((ours.label_B > ours.answer_BO[:, 2]).mean()),
    }
    loss = {"mean_pinball_loss": float(task.losses(ours).mean())}
    return {"num_rows": len(ours), **found, **loss, **tails}


def saved(task: Forecast, naive: Evidence) -> Metric:
    """The share of pinball loss saved against another's answers to the same rows."""

    def draws(evidence: Evidence, weights: Array) -> Array:
        lost = [summed(weights, task.losses(each), each.unit_B) for each in (evidence, naive)]
        return 1 - divided(*lost)

    def value(evidence: Evidence) -> float:
        return float(draws(evidence, np.ones((1, evidence.num_units)))[0])

    title = "Pinball loss saved"
    return Metric(
        name="pinball_saved", title=title, higher_is_better=True, value=value, draws=draws
    )


def shown(interval: ConfidenceInterval | None) -> dict[str, float] | None:
    return interval and asdict(interval)


def lines(row: Mapping[str, Any]) -> list[str]:
    """The row for people."""
    names = ("mase", "pinball_saved", "interval_coverage")
    heads = ("", "MASE", "pinball saved", "80 % holds")
    told = ["".join(f"{head:<26}" for head in heads)]
    for model, found in row["models"].items():
        for who, by_kind in found.items():
            shown_kinds: Sequence[str] = list(by_kind) if who == "reconciled" else ("all",)
            for kind in shown_kinds:
                cells = [_cell(by_kind[kind][name]) for name in names]
                told.append("".join(f"{c:<26}" for c in (f"{model}, {who}, {kind}"[:60], *cells)))
    return [*told, f"met: {row['met']}"]


def _cell(found: Mapping[str, float] | None) -> str:
    if found is None:
        return "-"
    return f"{found['estimate']:.3f} ({found['low']:.3f}-{found['high']:.3f})"


if __name__ == "__main__":
    main()
