"""`millrace run`: from nothing to tomorrow's predictions, through Airflow's own Dags.

History is loaded up to the day before yesterday, a model is trained on it and promoted; then
yesterday goes through every Dag, so that yesterday is out of sample for the first champion.
"""

import logging
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Engine

from pipelines import services, use_cases
from pipelines.core import journal
from pipelines.core.errors import MillraceError
from pipelines.core.settings import Settings
from pipelines.insight import status, summary
from pipelines.stores import airflow
from pipelines.use_cases.spec.discovery import Cases
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.model import Model
from pipelines.use_cases.spec.use_case import UseCase

log = logging.getLogger(__name__)

# Consumers first: an asset event that arrives while its Dag is paused is lost.
_OF_MODELS = ("watch_drift", "predict_batch", "train_model")
_OF_DATA = ("build_features", "load_history")


@dataclass(frozen=True)
class Step:
    """One Dag run that is still to be done."""

    dag: str
    key: str


def plan(
    case: UseCase, known_until: datetime | None, yesterday: Interval, since: date
) -> list[Step]:
    """What is missing up to yesterday; nights from `since` on are left to the schedule.

    Example:
        >>> from pipelines.use_cases import find
        >>> yesterday = Interval.parse("2026-11-20")
        >>> [step.key for step in plan(find("flight_delays"), None, yesterday, date(2026, 11, 21))]
        ['2026-08-22/2026-11-19', '2026-11-20']
    """
    if known_until is None:
        first = yesterday.start.date() - timedelta(days=case.history_days)
        # A case of smaller parts has no day of its own to build: history reaches up to midnight.
        last = yesterday.start.date() - timedelta(days=1 if case.grain == "day" else 0)
        history = [Step("load_history", f"{first}/{last}")]
        return [*history, Step("build_features", yesterday.key)] if case.grain == "day" else history
    missing = (yesterday.end - known_until).days
    days = (yesterday.start.date() - timedelta(days=back) for back in reversed(range(missing)))
    return [Step("build_features", day.isoformat()) for day in days if day < since]


def run(settings: Settings, only: str | None = None, attached: bool = False) -> str:
    """Start everything, do what is not done yet, and say where to look.

    A case that can't be loaded, or whose run fails, does not keep the others from theirs.

    Args:
        only: the one case to do; None: all but those that are on demand and were never asked for.

    Raises:
        MillraceError: a part did not start, or, when all is done, a Dag run had failed, or a case
            can't be loaded; says which and where.
        UsageError: there is no such case, or it is unavailable; nothing was started.
    """
    asked = use_cases.available(only) if only else None
    services.start(settings)
    engine = journal.engine(settings)
    cases = use_cases.load()
    failed = {name: f"{name} can't be loaded: {case}" for name, case in cases.broken.items()}
    chosen = [asked] if asked else _awake(engine, cases)
    with airflow.connect(settings) as client:
        for case in chosen:
            with _noted(failed, case):
                for dag in dags(case):
                    client.unpause(f"{case.name}.{dag}")
        for case in chosen:
            if case.name not in failed:
                with _noted(failed, case):
                    _catch_up(settings, client, engine, case)
    text = summary.summary(settings, engine)
    if attached:
        _stay(settings, "\n".join([text, *failed.values()]))
    elif failed:
        log.info("%s", text)
    if failed:
        raise MillraceError("; ".join(failed.values()))
    return text


def _awake(engine: Engine, cases: Cases) -> list[UseCase]:
    """The cases that go on by themselves: not on demand, or asked for before, and available."""
    return [
        case
        for name, case in cases.found.items()
        if name not in cases.unavailable
        and (not case.on_demand or status.known_until(engine, case) is not None)
    ]


@contextmanager
def _noted(failed: dict[str, str], case: UseCase) -> Iterator[None]:
    """A failure of one case is kept for the end."""
    try:
        yield
    except MillraceError as error:
        log.warning("%s", error)
        failed[case.name] = str(error)


def _catch_up(settings: Settings, client: airflow.Airflow, engine: Engine, case: UseCase) -> None:
    """The case's own steps, each followed to the models that it sets off."""
    known_until, since = status.known_until(engine, case), services.schedule_since(settings)
    for step in plan(case, known_until, settings.yesterday(), since):
        follow(client, client.trigger(f"{case.name}.{step.dag}", step.key))
        follow_models(client, engine, case, step.key)


def dags(case: UseCase) -> tuple[str, ...]:
    """The Dags of a case, in the order in which they are unpaused."""
    of_models = (f"{model.prefix}{dag}" for dag in _OF_MODELS for model in case.models)
    return (*of_models, *_OF_DATA)


def follow_models(client: airflow.Airflow, engine: Engine, case: UseCase, key: str) -> None:
    """Wait for the trainings that a step's *features* set off, and for the champions' predictions.

    A night's predictions are made by the champion of that moment: while the first one is trained
    there are none, and a new one may win minutes later. Then the newest days are asked once more,
    of all models at once.
    """
    for model in case.models:
        for dag in ("predict_batch", "train_model"):
            follow(client, client.await_run(f"{case.name}.{model.prefix}{dag}", key))
    last = {model: _last_asked(client, engine, case, model, key) for model in case.models}
    for model, (predicted, run) in last.items():
        if run:
            follow(client, run)
        if predicted:
            watch = f"{case.name}.{model.prefix}watch_drift"
            follow(client, client.await_run(watch, predicted))


def _last_asked(
    client: airflow.Airflow, engine: Engine, case: UseCase, model: Model, key: str
) -> tuple[str, airflow.DagRun | None]:
    """Of which days the champion predicts last, and by which run if they are asked once more.

    No days without a champion.
    """
    champion = status.champion(engine, case, model)
    predictions = status.predictions(engine, case, model)
    if champion is None:
        return "", None
    made = predictions and (predictions["model_version"], predictions["until"])
    if made == (champion["version"], Interval.parse(key).end.isoformat()):
        return key, None
    key = watched(model, key)
    return key, client.trigger(f"{case.name}.{model.prefix}predict_batch", key)


def watched(model: Model, key: str) -> str:
    """The newest days of an interval, as many as drift is judged by.

    Example:
        >>> from pipelines.use_cases import find
        >>> watched(find("flight_delays").model("late"), "2026-08-22/2026-11-19")
        '2026-11-13/2026-11-19'
    """
    interval = Interval.parse(key)
    last, days = interval.last_date, min(interval.days, model.watch.window_days)
    return f"{last - timedelta(days=days - 1)}/{last}" if days > 1 else last.isoformat()


def _stay(settings: Settings, text: str) -> None:
    log.info("%s\n\nStays attached; Ctrl-C stops everything.", text)
    try:
        signal.pause()
    except KeyboardInterrupt:
        services.stop(settings)


def follow(client: airflow.Airflow, dag_run: airflow.DagRun) -> None:
    """Wait for a run, telling each task as it starts and ends.

    Raises:
        MillraceError: the run failed; names the task and where its log is.
    """
    log.info("%s of %s", dag_run.dag_id, dag_run.key)
    shown: dict[str, str] = {}
    began = time.monotonic()
    while (state := client.state(dag_run)) in ("queued", "running"):
        shown = _show_changes(client.tasks(dag_run), shown, began)
        time.sleep(1)
    tasks = client.tasks(dag_run)
    _show_changes(tasks, shown, began)
    if state != "success":
        failed = [task for task, ended in tasks.items() if ended == "failed"]
        raise MillraceError(
            f"{dag_run.dag_id} of {dag_run.key}: {state} in {', '.join(failed) or 'no task'}; "
            f"its log is in the Airflow UI under {dag_run.dag_id}, run {dag_run.run_id}"
        )


def _show_changes(tasks: dict[str, str], shown: dict[str, str], began: float) -> dict[str, str]:
    for task, state in tasks.items():
        if shown.get(task) != state and state in ("running", "success", "failed", "up_for_retry"):
            log.info("  %4.0f s  %-18s %s", time.monotonic() - began, task, state)
    return dict(tasks)
