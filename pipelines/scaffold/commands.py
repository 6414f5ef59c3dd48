"""`millrace new`; what reads and writes is imported when it is asked for."""

import json
from pathlib import Path
from typing import Annotated

import typer

from pipelines.core.settings import ROOT


def new(
    name: Annotated[str, typer.Argument(help="the use case's name, such as loans")],
    source: Annotated[
        str, typer.Option("--from", help="a file, a folder, s3://..., or SQLALCHEMY_URL#TABLE")
    ],
    key: Annotated[str, typer.Option(help="COLUMN[,COLUMN] that names a row")],
    event_time: Annotated[str, typer.Option(help="COLUMN: when it happened")],
    label: Annotated[
        str, typer.Option(help="COLUMN to predict: a yes or no, classes, or a number")
    ],
    known_at: Annotated[
        str | None, typer.Option(help="COLUMN: when the row was published; else the event's time")
    ] = None,
    label_known_at: Annotated[
        str | None, typer.Option(help="COLUMN: when the label became known; else with the row")
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            help="what the label is: binary, multiclass or regression; else guessed, and said"
        ),
    ] = None,
    positive: Annotated[
        str | None, typer.Option(help="binary: the label's VALUE that is true")
    ] = None,
    without: Annotated[str, typer.Option(help="COLUMN[,COLUMN] to leave out")] = "",
    into: Annotated[Path, typer.Option(help="the repository's folder")] = ROOT,
) -> None:
    """Write a new use case from your own data: every file of it, proposed from a sample."""
    from pipelines.scaffold.ask import Ask
    from pipelines.scaffold.new import absolute, make, masked
    from pipelines.scaffold.write import refuse_name

    refuse_name(name, into)
    location = absolute(source)
    ask = Ask(
        name=name,
        location=masked(location),
        key=_split(key),
        event_time=event_time,
        label=label,
        known_at=known_at,
        label_known_at=label_known_at,
        task=task,
        positive=positive,
        without=_split(without),
    )
    report, written = make(ask, location, into)
    typer.echo(report)
    typer.echo(json.dumps({"case": name, "written": written}))


def _split(columns: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(c.strip() for c in columns.split(",") if c.strip()))
