"""`millrace new` and `millrace remove`; what reads and writes is imported when it is asked for."""

import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.core.errors import UsageError
from pipelines.core.settings import ROOT

if TYPE_CHECKING:
    from pipelines.scaffold.new import Made

# What a shell can hardly say.
_MARKS = {"TAB": "\t", "\\t": "\t"}
_NEEDED = {"source": "--from", "key": "--key", "event_time": "--event-time", "label": "--label"}
# What a task can do without: a series may be the only one.
_SPARED = {"ranking": "label", "forecast": "key"}


def new(
    name: Annotated[str, typer.Argument(help="the use case's name, such as loans")],
    source: Annotated[
        str, typer.Option("--from", help="a file, a folder, s3://..., or SQLALCHEMY_URL#TABLE")
    ] = "",
    key: Annotated[str, typer.Option(help="COLUMN[,COLUMN] that names a row")] = "",
    event_time: Annotated[str, typer.Option(help="COLUMN: when it happened")] = "",
    label: Annotated[
        str, typer.Option(help="COLUMN to predict: a yes or no, classes, or a number")
    ] = "",
    known_at: Annotated[
        str, typer.Option(help="COLUMN: when the row was published; else the event's time")
    ] = "",
    label_known_at: Annotated[
        str, typer.Option(help="COLUMN: when the label became known; else with the row")
    ] = "",
    task: Annotated[
        str,
        typer.Option(
            help="what is asked: binary, multiclass or regression, else guessed and said; or "
            "ranking (--key USER,ITEM), forecast (--key of a series)"
        ),
    ] = "",
    positive: Annotated[str, typer.Option(help="binary: the label's VALUE that is true")] = "",
    horizon: Annotated[
        int, typer.Option(help="forecast: hours or days ahead; else 72 hours or 28 days", min=0)
    ] = 0,
    without: Annotated[str, typer.Option(help="COLUMN[,COLUMN] to leave out")] = "",
    only: Annotated[
        str, typer.Option(help="COLUMN[,COLUMN] to take beside those named; else all")
    ] = "",
    encoding: Annotated[
        str, typer.Option(help="of its texts, such as utf-8, cp1252; else guessed, and said")
    ] = "",
    delimiter: Annotated[str, typer.Option(help="between fields; TAB is one, too")] = "",
    quote: Annotated[str, typer.Option(help="around fields; NONE: quotes are letters")] = "",
    escape: Annotated[str, typer.Option(help="before a quote inside of quotes")] = "",
    skip_lines: Annotated[int, typer.Option(help="of titles above the header", min=-1)] = -1,
    records: Annotated[str, typer.Option(help="KEY of a JSON file's list of records")] = "",
    sheet: Annotated[str, typer.Option(help="of a workbook")] = "",
    decimal: Annotated[str, typer.Option(help="mark of its numbers: . or ,")] = "",
    thousands: Annotated[str, typer.Option(help="mark between groups of three digits")] = "",
    dates: Annotated[
        str, typer.Option(help="FORM[,FORM] of its dates, such as %d.%m.%Y or '%m/%d/%Y %H:%M'")
    ] = "",
    zone: Annotated[
        str, typer.Option(help="of times that say none, such as Europe/Berlin; else UTC")
    ] = "",
    missing: Annotated[str, typer.Option(help="WORD[,WORD] that mean *no value*")] = "",
    into: Annotated[Path, typer.Option(help="the repository's folder")] = ROOT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="propose, and write nothing")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="propose anew as it was asked, and show the diff")
    ] = False,
    write: Annotated[bool, typer.Option("--write", help="with --again: write it")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="with --again --write: over edited files, too")
    ] = False,
) -> None:
    """Write a new use case from your own data: every file of it, proposed from a sample."""
    from pipelines.scaffold.again import propose
    from pipelines.scaffold.ask import Ask
    from pipelines.scaffold.new import absolute, make, masked
    from pipelines.scaffold.write import refuse_name, refuse_taken

    refuse_name(name)
    said: dict[str, Any] = {
        "key": _split(key),
        "event_time": event_time or None,
        "label": label,
        "known_at": known_at or None,
        "label_known_at": label_known_at or None,
        "task": task or None,
        "positive": positive or None,
        "horizon": horizon or None,
        "without": _split(without),
        "only": _split(only),
        "encoding": encoding or None,
        "delimiter": _MARKS.get(delimiter, delimiter) or None,
        "quote": "" if quote == "NONE" else quote or None,
        "escape": escape or None,
        "skipped_lines": None if skip_lines < 0 else skip_lines,
        "records": records or None,
        "sheet": sheet or None,
        "decimal": decimal or None,
        "thousands": thousands or None,
        "dates": _split(dates),
        "zone": zone or None,
        "missing": _split(missing),
    }
    location = absolute(source) if source else ""
    if again:
        changes = {option: value for option, value in said.items() if value not in (None, (), "")}
        made = propose(name, location, changes, into, is_written=write and not dry_run, all_=yes)
    else:
        _refuse_lacking({**said, "source": source})
        refuse_taken(name, into)
        made = make(
            Ask(name=name, location=masked(location), **said), location, into, is_trial=dry_run
        )
    _say(name, made, "written")


def remove(
    name: Annotated[str, typer.Argument(help="the use case's name")],
    into: Annotated[Path, typer.Option(help="the repository's folder")] = ROOT,
    yes: Annotated[bool, typer.Option("--yes", help="also files that somebody edited")] = False,
) -> None:
    """Take away the files of a use case that `millrace new` wrote; its tables and models stay."""
    from pipelines.scaffold import again
    from pipelines.scaffold.write import refuse_name

    refuse_name(name)
    _say(name, again.remove(name, into, all_=yes), "removed")


def _refuse_lacking(said: dict[str, Any]) -> None:
    spared = _SPARED.get(said["task"])
    lacking = [option for name, option in _NEEDED.items() if not said[name] and name != spared]
    if lacking:
        raise UsageError(
            f"{', '.join(lacking)} must be said; for a case that is there, --again knows them"
        )


def _say(name: str, made: "Made", what: str) -> None:
    """The report, and a line for programs; a terminal may know fewer letters than a table has."""
    encoding = sys.stdout.encoding or "utf-8"
    typer.echo(made.report.encode(encoding, "backslashreplace").decode(encoding))
    typer.echo(json.dumps({"case": name, what: list(made.written)}))


def _split(columns: str) -> tuple[str, ...]:
    """Names between commas; one with a comma of its own stands in double quotes.

    Example:
        >>> _split('id, "last, first"')
        ('id', 'last, first')
    """
    (found,) = csv.reader([columns.replace("\\n", " ")], skipinitialspace=True)
    return tuple(dict.fromkeys(name.strip() for name in found if name.strip()))
