"""What is published, quarantined and known: read from the journal alone, so it is always quick."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import typer
from sqlalchemy import Engine, Row, Table, and_, func, select

from pipelines import services, use_cases
from pipelines.core import journal
from pipelines.core.journal import promotions, published, verdicts
from pipelines.core.registry import LEAKS
from pipelines.core.settings import Settings
from pipelines.learning import champion as champions
from pipelines.stores import lake
from pipelines.use_cases.spec.discovery import BrokenCase
from pipelines.use_cases.spec.model import Model
from pipelines.use_cases.spec.use_case import UseCase


def newest_published(engine: Engine, case: UseCase) -> Sequence[Row[Any]]:
    """Each table as readers see it, and as `reach` how far it ever was published."""
    reach = func.max(published.c.until).over(partition_by=published.c.table_name).label("reach")
    newest = (
        select(published, reach)
        .distinct(published.c.table_name)
        .where(published.c.case_name == case.name)
        .order_by(published.c.table_name, published.c.id.desc())
    )
    with engine.connect() as connection:
        return connection.execute(newest).all()


def case_status(engine: Engine, case: UseCase) -> dict[str, Any]:
    """One case, as `millrace status --json` prints it."""
    found = newest_published(engine, case)
    reach = {row.table_name: row.reach for row in found}
    tables = {
        row.table_name: {
            "rows": row.rows,
            "version": row.version,
            "until": row.reach.isoformat(),
        }
        for row in found
    }
    states = [case.table("gold", state.name) for state in case.entity_states]
    return {
        "tables": tables,
        "quarantined": sum(
            table["rows"] for name, table in tables.items() if name.startswith("quarantine.")
        ),
        # All of them: the oldest one says how far a model may look.
        "features_known_until": min(reach[name] for name in states).isoformat()
        if reach.keys() >= set(states)
        else None,
        "models": {model.name: model_status(engine, case, model) for model in case.models},
    }


def model_status(engine: Engine, case: UseCase, model: Model) -> dict[str, Any]:
    """One model of a case: who predicts, what the gate said last, answers and drift."""
    return {
        "champion": champion(engine, case, model),
        "challenger": _challenger(engine, case, model),
        "predictions": predictions(engine, case, model),
        "drift": _drift(engine, case, model),
        "leaks": _leaks(engine, case, model),
    }


def where(settings: Settings, engine: Engine, case: UseCase) -> dict[str, Any]:
    """Each published table's files: their address, the version that readers see, and its rows."""
    return {
        name: {
            "address": lake.of(settings).address(lake.build_of(name)),
            "version": table["version"],
            "rows": table["rows"],
        }
        for name, table in case_status(engine, case)["tables"].items()
    }


def champion(engine: Engine, case: UseCase, model: Model) -> dict[str, Any] | None:
    """The version that predicts; None: there is none yet."""
    now = champions.current(engine, case.name, model.name)
    if now is None:
        return None
    return {
        "version": now.version,
        "metric": now.metric,
        "value": now.value,
        "cutoff": now.cutoff.isoformat(),
        "promoted_at": now.promoted_at.isoformat(),
    }


def _challenger(engine: Engine, case: UseCase, model: Model) -> dict[str, Any] | None:
    """The newest version that the gate judged."""
    row = _last(engine, promotions, _of(promotions, case, model), "id")
    if row is None:
        return None
    names = ("version", "metric", "value", "decision", "reason")
    return {name: getattr(row, name) for name in names}


def predictions(engine: Engine, case: UseCase, model: Model) -> dict[str, Any] | None:
    """Published predictions: how many in all, and of the latest interval how far, by which version.

    What was written last may be of an old interval, predicted again.
    """
    mine = published.c.table_name == case.table("gold", model.predictions)
    written = _last(engine, published, mine, "id")
    latest = _last(engine, published, mine, *_LATEST)
    if written is None or latest is None:
        return None
    answered = champions.answered(engine, case.name, model.name, latest.interval)
    return {
        "rows": written.rows,
        "model_version": answered.details.model_version if answered else None,
        "until": latest.until.isoformat(),
    }


def _drift(engine: Engine, case: UseCase, model: Model) -> dict[str, Any] | None:
    """The newest verdict on the latest interval."""
    row = _last(engine, verdicts, _of(verdicts, case, model), *_LATEST)
    if row is None:
        return None
    return {"due": row.due, "drifted": row.drifted, "reason": row.reason, "interval": row.interval}


def _leaks(engine: Engine, case: UseCase, model: Model) -> dict[str, Any] | None:
    """What was found when somebody last looked for inputs that know the future."""
    done = journal.newest_done(engine, case.name, LEAKS, journal.runs.c.model == model.name)
    if done is None:
        return None
    found = done.outcome.details
    return {"summary": found.summary, "findings": list(found.findings)}


def _of(table: Table, case: UseCase, model: Model) -> Any:
    return and_(table.c.case_name == case.name, table.c.model == model.name)


# Of the interval that ends last; of several rows the one written last.
_LATEST = ("until", "id")


def _last(engine: Engine, table: Table, condition: Any, *order: str) -> Any:
    newest = select(table).where(condition).order_by(*(table.c[name].desc() for name in order))
    with engine.connect() as connection:
        return connection.execute(newest.limit(1)).first()


def known_until(engine: Engine, case: UseCase) -> datetime | None:
    """How far all entity states of a case are published; None: some never were."""
    found = case_status(engine, case)["features_known_until"]
    return datetime.fromisoformat(found) if found else None


def platform_status(settings: Settings) -> dict[str, Any]:
    """The services' health and every case; those found are empty while PostgreSQL is down."""
    health = services.health(settings)
    there, cases = use_cases.load(), dict[str, Any]()
    if health["postgres"] == "up":
        engine = journal.engine(settings)
        cases = {name: case_status(engine, case) for name, case in there.found.items()}
    broken = {name: asdict(case) for name, case in there.broken.items()}
    return {
        "services": dict(health),
        "cases": cases,
        "unavailable": dict(there.unavailable),
        "broken": broken,
    }


def in_words(found: dict[str, Any]) -> str:
    """The same for people: a line a service, a line a table, a red one a broken case."""
    lines = [f"{name:<10} {state}" for name, state in found["services"].items()]
    for name, why in found["unavailable"].items():
        lines += ["", unavailable_line(name, why)]
    for name, case in found["cases"].items():
        lines += ["", f"{name}: features known until {case['features_known_until'] or 'never'}"]
        lines += [*models_lines(case["models"]), *table_lines(case["tables"])]
    for case in found["broken"].values():
        lines += ["", broken_line(BrokenCase(**case))]
    return "\n".join(lines)


def unavailable_line(name: str, why: str) -> str:
    """Not red: a case may lack packages because nobody asked for it."""
    return f"{name}: unavailable: {why}"


def broken_line(case: BrokenCase) -> str:
    """In red, where the output is a terminal's."""
    return typer.style(f"{case.name}: can't be loaded: {case}", fg=typer.colors.RED)


def models_lines(models: dict[str, Any]) -> list[str]:
    """Model, gate, predictions, drift, leaks; of several models each under its name."""
    if len(models) == 1:
        return [line for model in models.values() for line in model_lines(model)]
    return [
        line
        for name, model in models.items()
        for line in (f"  {name}", *(f"  {each}" for each in model_lines(model)))
    ]


def model_lines(model: dict[str, Any]) -> list[str]:
    """One model: champion, gate, predictions, drift and leaks."""
    now, judged = model["champion"], model["challenger"]
    made, drift = model["predictions"], model["drift"]
    champion = (
        f"version {now['version']}, learned up to {now['cutoff'][:16]}" if now else "none yet"
    )
    gate = f"version {judged['version']} {judged['decision']}: {judged['reason']}" if judged else ""
    answers = made and (
        f"{made['rows']:,} answers, the newest by version {made['model_version']}, "
        f"as known at {made['until'][:16]}"
    )
    watch = drift and f"{'retraining is due: ' if drift['due'] else ''}{drift['reason']}"
    return [
        f"  champion: {champion}",
        f"  gate: {gate or 'nothing judged yet'}",
        f"  predictions: {answers or 'none yet'}",
        f"  drift: {watch or 'not watched yet'}",
        *leak_lines(model["leaks"]),
    ]


def leak_lines(leaks: dict[str, Any] | None) -> list[str]:
    """What was looked at, and each finding on a line, in red where the output is a terminal's."""
    if leaks is None:
        return ["  leaks: not looked for yet"]
    found = (typer.style(f"  LEAK? {each}", fg=typer.colors.RED) for each in leaks["findings"])
    return [f"  leaks: {leaks['summary']}", *found]


def table_lines(tables: dict[str, Any]) -> list[str]:
    """A line a published table: rows, version, and how far it reaches."""
    return [
        f"  {name:<46} {table['rows']:>9,} rows   version {table['version']:>3}   "
        f"until {table['until'][:16]}"
        for name, table in tables.items()
    ]
