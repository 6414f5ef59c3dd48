"""The one bridge from Airflow to the stages, and the only home of Airflow version details.

A stage runs as a child process, `millrace STAGE CASE --interval KEY`, started with an argument
list, never through a shell. Every run and every asset event carries a partition key, which is
the interval: an unkeyed event would leave the next Dag asleep in silence.
"""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from airflow.providers.standard.hooks.subprocess import SubprocessHook
from airflow.sdk import DAG, Asset, BaseOperator, BaseOperatorLink, Context, Param, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from pipelines.core import addresses, registry
from pipelines.core.errors import UsageError
from pipelines.use_cases import load
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.model import Model
from pipelines.use_cases.spec.use_case import UseCase

NOTHING_DUE, WRONG_CALL = 99, 2

# The day of the first start (the services set it): the midnight that ends it is the first that is
# scheduled, and no later one is skipped. Unset: only the newest night.
_FIRST_DAY = os.environ.get("MILLRACE_SCHEDULE_SINCE")
SCHEDULE_SINCE = (
    datetime.fromisoformat(_FIRST_DAY).replace(tzinfo=UTC) + timedelta(days=1)
    if _FIRST_DAY
    else None
)

# What all Dags share: a failed stage is retried, because it converges when run again.
DEFAULTS: Mapping[str, Any] = {
    "owner": "millrace",
    "retry_delay": timedelta(seconds=15),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=5),
}


def asset(case: UseCase, name: str, model: Model | None = None) -> Asset:
    """What a check publishes and the next Dag waits for, such as *features* or *predictions*."""
    own = f"{model.prefix if model else ''}{name}"
    return Asset(name=f"{case.name}.{own}", uri=f"millrace://{case.name}/{own}")


def dag_of(case: UseCase, model: Model, name: str, description: str, **arguments: Any) -> DAG:
    """A Dag of one model of a case; the case's first by the name alone."""
    return DAG(
        dag_id=f"{case.name}.{model.prefix}{name}",
        description=f"{description} ({case.name}.{model.name})",
        max_active_runs=1,
        default_args=dict(DEFAULTS),
        tags=[case.name, model.name, "model", *unavailable(case)],
        **arguments,
    )


def unavailable(case: UseCase) -> list[str]:
    """The tag of a case whose packages are not here; its tasks say what to do."""
    return ["unavailable"] if case.name in load().unavailable else []


def date_field(title: str, description: str) -> Param:
    """A date picker in the trigger form; empty means: the run's partition key says it."""
    return Param(None, type=["null", "string"], format="date", title=title, description=description)


def interval_form(case: UseCase) -> dict[str, Param]:
    """The trigger form of a Dag that builds one part: a day, and of smaller ones the time."""
    form = {"day": date_field("Day (UTC)", "Which day to build. Empty: the partition key's.")}
    if case.grain != "day":
        form["hour"] = Param(
            0, type="integer", minimum=0, maximum=23, title="Hour (UTC)", description="0 to 23"
        )
    if case.grain == "quarter_hour":
        form["minute"] = Param(
            0, enum=[0, 15, 30, 45], title="Minute", description="It begins then"
        )
    return form


def training_form(case: UseCase) -> dict[str, Param]:
    """The trigger form of training: its cutoff, and whether the cadence is to be asked."""
    title = "Even if it is not due"
    said = "Train whatever the cadence says; never twice from the same tables."
    return {
        **interval_form(case),
        "forced": Param(False, type="boolean", title=title, description=said),
    }


def range_form() -> dict[str, Param]:
    """The trigger form of a Dag that builds many days as one run."""
    return {
        "first_day": date_field("First day (UTC)", "The oldest day to load."),
        "last_day": date_field(
            "Last day (UTC)", "The newest day to load; it belongs to the range."
        ),
    }


def interval_key(context: Context) -> str:
    """The run's interval, from the trigger form or from the partition key, checked.

    Raises:
        AirflowFailException: no key, two keys, or one that is no interval; says so in words.
    """
    given = _form_key(context["params"])
    key = context.get("partition_key")
    if given and key and given != key:
        raise AirflowFailException(f"the form says {given}, the partition key {key}: give one")
    if not (given or key):
        raise AirflowFailException(
            "this run has no interval: choose the day in the trigger form, or give a "
            "partition key such as 2026-11-20 under Advanced Options"
        )
    try:
        return Interval.parse(given or str(key)).key
    except UsageError as error:
        raise AirflowFailException(str(error)) from error


def _form_key(params: Mapping[str, Any]) -> str | None:
    if params.get("day"):
        clock = "".join(f"{params[name]:02d}" for name in ("hour", "minute") if name in params)
        return f"{params['day']}T{clock}" if clock else params["day"]
    first, last = params.get("first_day"), params.get("last_day")
    if bool(first) != bool(last):
        raise AirflowFailException("the form has only one of first_day and last_day: choose both")
    return f"{first}/{last}" if first else None


@task(retries=0, execution_timeout=timedelta(minutes=5))
def check_key(ranges: bool, **context: Any) -> str:
    """Refuse a key that is not an interval of this Dag, before anything is read."""
    key = interval_key(cast("Context", context))
    if "/" in key and not ranges:
        raise AirflowFailException(f"{key} is a range: use the Dag load_history for it")
    return key


# Where Airflow's UI shows the app of `plugins/millrace.py`, and in it the page of that path.
_PAGES = "/plugin/millrace/millrace"


class ReportLink(BaseOperatorLink):
    """A button on the task that leads to a page of the section Millrace.

    Airflow asks for it when the task has ended, in its process, and keeps the answer as an XCom.
    """

    def __init__(self, link: str, page: str) -> None:
        self._link, self._page = link, page

    @property
    def name(self) -> str:
        return self._link

    @property
    def xcom_key(self) -> str:
        return f"link_{self._link.lower().replace(' ', '_')}"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:  # noqa: ARG002
        """Also of a task that failed: its page says why. Without an interval there is none."""
        ran = cast("StageOperator", operator)
        if not ran.key:
            return ""
        return _PAGES + addresses.page(self._page, ran.case_name, ran.key, ran.model_name)


class MlflowLink(BaseOperatorLink):
    """A button that leads to the run of MLflow which a training logged to."""

    name = "MLflow run"
    xcom_key = "link_mlflow_run"

    def get_link(self, operator: BaseOperator, *, ti_key: Any) -> str:  # noqa: ARG002
        from pipelines.core.settings import Settings

        run_id = cast("StageOperator", operator).result.get("details", {}).get("run_id")
        return Settings().mlflow_page + addresses.mlflow_run(run_id) if run_id else ""


def _links(stage: str) -> list[BaseOperatorLink]:
    page = registry.find(stage).page
    links: list[BaseOperatorLink] = [ReportLink(*page)] if page else []
    return [*links, MlflowLink()] if stage == registry.TRAIN.name else links


class StageOperator(BaseOperator):
    """Runs one stage of one case for the run's interval; its result line becomes the XCom.

    Options of the stage come from the Dag, as `flags`, and from the trigger form.
    Exit 99 (nothing due) shows as *skipped*; exit 2 (wrong call) fails without a retry.
    """

    ui_color = "#e8f0fe"

    def __init__(
        self,
        *,
        stage: str,
        case: UseCase,
        model: Model | None = None,
        flags: tuple[str, ...] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.stage = stage
        self.flags = flags
        self.case_name = case.name
        # Said only where there is something to choose.
        self.model_name = model.name if model and len(case.models) > 1 else None
        self.hook: SubprocessHook | None = None
        # For the links, once the task has run.
        self.key = ""
        self.result: dict[str, Any] = {}

    @property
    def operator_extra_links(self) -> list[BaseOperatorLink]:  # type: ignore[override]
        return _links(self.stage)

    def execute(self, context: Context) -> dict[str, Any]:
        self.key = key = interval_key(context)
        self.hook = SubprocessHook()
        options = registry.find(self.stage).options
        asked = [each.flag for each in options if context["params"].get(each.field)]
        model = ["--model", self.model_name] if self.model_name else []
        stage = [self.stage, self.case_name, *model, "--interval", key, *self.flags, *asked]
        ended = self.hook.run_command([*_command(), *stage], env=_environment(context))
        if ended.exit_code == NOTHING_DUE:
            raise AirflowSkipException(ended.output)
        if ended.exit_code == WRONG_CALL:
            raise AirflowFailException(ended.output)
        if ended.exit_code != 0:
            raise AirflowException(ended.output)
        if not context.get("partition_key"):
            for outlet in self.outlets:
                context["outlet_events"][outlet].add_partitions([key])
        self.result = json.loads(ended.output)
        return self.result

    def on_kill(self) -> None:
        if self.hook is not None:
            self.hook.send_sigterm()  # type: ignore[no-untyped-call]


def _command() -> list[str]:
    """What starts a stage: asked when a task runs, because settings are heavy at parse time."""
    from pipelines.core.settings import Settings

    return list(Settings().stage_command)


def _environment(context: Context) -> dict[str, str]:
    """The stage's environment: Airflow's own settings hold its secrets, so they stay behind."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW__")}
    instance = context["ti"]
    return kept | {
        "MILLRACE_AIRFLOW_RUN": f"{instance.dag_id}/{instance.run_id}/{instance.task_id}"
    }


def stage(name: str, case: UseCase, model: Model | None = None, **kwargs: Any) -> StageOperator:
    """One stage as one task of its name, within the stage's limits."""
    limits = registry.find(name)
    return StageOperator(
        task_id=name,
        stage=name,
        case=case,
        model=model,
        retries=limits.retries,
        execution_timeout=limits.timeout,
        **kwargs,
    )
