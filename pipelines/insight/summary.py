"""What a newcomer reads last: addresses, the login, and what was done."""

from collections import Counter
from collections.abc import Mapping

from sqlalchemy import Engine, func, select

from pipelines import use_cases
from pipelines.core.journal import materialized, runs
from pipelines.core.settings import Settings
from pipelines.insight import status
from pipelines.stores import objects
from pipelines.use_cases.spec.use_case import UseCase


def summary(settings: Settings, engine: Engine) -> str:
    """Where to look, how to log in, and each case's rows on their way."""
    password = settings.secret("airflow_admin")
    lines = [
        "",
        "Millrace is up.",
        f"  Airflow   {settings.airflow_page}   user admin, password {password}",
        f"  MLflow    {settings.mlflow_page}",
    ]
    if settings.embedded_spark:
        lines.append(f"  Spark     http://{settings.host}:{settings.spark_ui_port}")
        lines.append(f"  Reports   {objects.reports(settings).root}")
    cases = use_cases.load()
    for name, case in cases.found.items():
        why = cases.unavailable.get(name)
        lines += ["", status.unavailable_line(name, why)] if why else _case_lines(engine, case)
    for broken in cases.broken.values():
        lines += ["", status.broken_line(broken)]
    stop = "make stop" if settings.embedded_spark else "make down"
    return "\n".join([*lines, "", f"`{stop}` stops everything; the data stays."])


def _case_lines(engine: Engine, case: UseCase) -> list[str]:
    found = status.case_status(engine, case)
    if not found["tables"]:
        asked = f" CASE={case.name}" if case.on_demand else ""
        return ["", f"{case.name}: nothing yet; `make run{asked}` begins with it"]
    ingested = _ingested(engine, case)
    counted = {
        what: sum(ingested[f"{feed.name}_{what}"] for feed in case.feeds)
        for what in ("in", "kept", "quarantined", "duplicates")
    }
    return [
        "",
        f"{case.name}: features known until {found['features_known_until']}",
        "  rows: " + ", ".join(f"{count:,} {what}" for what, count in counted.items()),
        f"  published: {len(found['tables'])} tables",
        *status.table_lines(
            {name: table for name, table in found["tables"].items() if name.startswith("gold.")}
        ),
        f"  online: {_online(engine, case)}",
        *status.models_lines(found["models"]),
        "  look first at: the Dags and the section Millrace in Airflow, the newest run in MLflow",
    ]


def _online(engine: Engine, case: UseCase) -> str:
    marks = select(func.count(), func.min(materialized.c.until))
    with engine.connect() as connection:
        views, until = connection.execute(marks.where(materialized.c.case_name == case.name)).one()
    return f"{views} feature views as of {until.isoformat()}" if views else "nothing yet"


def _ingested(engine: Engine, case: UseCase) -> Counter[str]:
    """The rows that ingest counted, over the newest finished attempt of each interval."""
    done = (runs.c.case_name == case.name, runs.c.stage == "ingest", runs.c.state == "done")
    newest = select(func.max(runs.c.attempt)).where(*done).group_by(runs.c.interval)
    with engine.connect() as connection:
        results = connection.scalars(select(runs.c.result).where(runs.c.attempt.in_(newest)))
        found: list[Mapping[str, Mapping[str, int]]] = list(results)
    return sum((Counter(result["rows"]) for result in found), Counter())
