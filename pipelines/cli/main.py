"""The one command line: for people, tests, Airflow and compose alike."""

import inspect
import json
import logging
import sys
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
import yaml  # type: ignore[import-untyped]
from pydantic import ValidationError
from pydantic_settings import SettingsError
from typer.core import TyperGroup

from pipelines.cli import first_run
from pipelines.core import journal, runner
from pipelines.core.errors import MillraceError, NothingDue, UsageError
from pipelines.core.option import Option
from pipelines.core.registry import STAGES, Stage
from pipelines.core.settings import Settings
from pipelines.insight import status
from pipelines.insight.lineage import commands as lineage
from pipelines.scaffold import commands as scaffold
from pipelines.services import commands as services
from pipelines.use_cases import available, find
from pipelines.use_cases.spec.interval import Interval


class Commands(TyperGroup):
    """Commands that name what there is when asked for something else."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands:
            known = ", ".join(self.commands)
            raise UsageError(f"no command or stage {args[0]!r}; there is {known}")
        return super().resolve_command(ctx, args)


app = typer.Typer(
    name="millrace",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help=__doc__,
)

CaseArgument = Annotated[str, typer.Argument(help="the use case, such as flight_delays")]
IntervalOption = Annotated[
    str,
    typer.Option(
        "--interval", help="2026-11-20, 2026-11-20T13, 2026-11-20T1345 or 2026-01-01/2026-03-31"
    ),
]

ModelOption = Annotated[str, typer.Option("--model", help="which, where a case has several")]


def _print(result: dict[str, Any]) -> None:
    typer.echo(json.dumps(result, default=str))


def _stage_command(stage: Stage[Any]) -> None:
    """A command with the stage's options; a flag counts as given where it is.

    A stage that has the option `json` speaks to people without it, all others to programs.
    """

    def command(case: str, **given: Any) -> None:
        key, model = given.pop("interval", None), given.pop("model", None)
        settings = Settings()
        interval = Interval.parse(key) if key else settings.yesterday()
        options = {name: str(value) for name, value in given.items() if value}
        result = runner.run(settings, available(case), stage, interval, options, model or None)
        if given.get("json", True):
            _print(result)
        else:
            typer.echo(journal.parsed(stage, result).details)

    parameters = {"case": CaseArgument}
    if stage.asks_interval:
        parameters["interval"] = IntervalOption
    if stage.of_model:
        parameters["model"] = ModelOption
    parameters |= {option.name: _annotation(option) for option in stage.options}
    kind = inspect.Parameter.KEYWORD_ONLY
    defaults = {"model": "", **{o.name: False for o in stage.options if o.is_flag}}
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(
                name, kind, annotation=said, default=defaults.get(name, inspect.Parameter.empty)
            )
            for name, said in parameters.items()
        ]
    )
    command.__annotations__ = dict(parameters)
    app.command(stage.name, help=stage.help)(command)


def _annotation(option: Option) -> Any:
    kind = bool if option.is_flag else str
    return Annotated[kind, typer.Option(option.flag, help=option.help)]


for _stage in STAGES.values():
    _stage_command(_stage)


@app.command()
def run(
    case: Annotated[str, typer.Argument(help="this one alone, also if it is on demand")] = "",
    follow: Annotated[bool, typer.Option(help="stay, and stop everything at Ctrl-C")] = False,
) -> None:
    """Start everything, do what is missing up to yesterday, say where to look, and return."""
    typer.echo(first_run.run(Settings(), case or None, attached=follow))


@app.command("status")
def show_status(
    as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False,
) -> None:
    """What is up, published, quarantined and known."""
    found = status.platform_status(Settings())
    typer.echo(json.dumps(found) if as_json else status.in_words(found))


@app.command()
def docs(case: CaseArgument, interval: IntervalOption) -> None:
    """Build Great Expectations' Data Docs of an interval's checks, and say where they are."""
    from pipelines.stores import gx_docs, objects

    kept = gx_docs.Kept(find(case).name, Interval.parse(interval))
    reports = objects.reports(Settings())
    typer.echo(reports.address(gx_docs.build(reports, kept)))


@app.command()
def tables(case: CaseArgument) -> None:
    """Where the published tables are, for other readers: address, version and rows of each."""
    settings = Settings()
    _print(status.where(settings, journal.engine(settings), find(case)))


@app.command("feature-store")
def feature_store(case: CaseArgument) -> None:
    """A case's feature_store.yaml, for Feast's own command line and SDK; it holds a password."""
    from pipelines.stores import feast

    typer.echo(yaml.safe_dump(feast.configuration(Settings(), find(case).name)), nl=False)


for _command in (
    lineage.lineage,
    scaffold.new,
    scaffold.remove,
    services.start,
    services.stop,
    services.clean,
):
    app.command()(_command)


def _guarded(call: Callable[[], Any]) -> int:
    try:
        call()
    except NothingDue as nothing:
        typer.echo(f"nothing due: {nothing}", err=True)
        return 99
    except UsageError as error:
        typer.echo(f"millrace: {error}", err=True)
        return 2
    except MillraceError as error:
        typer.echo(f"millrace: {error}", err=True)
        return 1
    except Exception as error:
        refused = _refused_settings(error)
        typer.echo(f"millrace: {refused or _unexpected(error)}", err=True)
        return 2 if refused else 1
    return 0


def _refused_settings(error: Exception) -> str:
    """What is wrong with the environment; empty for other errors.

    Without settings nobody knows where the log is.
    """
    if isinstance(error, SettingsError):
        return str(error)
    if not isinstance(error, ValidationError) or error.title != Settings.__name__:
        return ""
    return "; ".join(_refused_setting(each["loc"], each["msg"]) for each in error.errors())


def _refused_setting(field: Sequence[int | str], said: str) -> str:
    name = f"MILLRACE_{field[0]}: ".upper() if field else ""
    return name + said.removeprefix("Value error, ")


def _unexpected(error: Exception) -> str:
    """One line for the reader; the traceback goes to the log."""
    path = Settings().logs / "errors.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as log:
        log.write(f"{datetime.now(UTC).isoformat()} {sys.argv[1:]}\n")
        traceback.print_exception(error, file=log)
    said = next(iter(str(error).splitlines()), "")
    return f"{type(error).__name__}: {said[:500]}; the traceback is in {path}"


def main() -> None:
    """The console script: 0 done, 99 nothing due, 2 wrong call, 1 failed."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    logging.getLogger("pipelines").setLevel(logging.INFO)
    sys.exit(_guarded(app))
