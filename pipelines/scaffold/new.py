"""A use case from somebody's own table: the sample read, the proposal written and reported."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from pipelines.core.errors import BatchRefused, UsageError
from pipelines.core.settings import Settings
from pipelines.data.extract.tables import HIDDEN, located
from pipelines.data.reading.files import FileTable
from pipelines.data.reading.paths import allowed
from pipelines.data.reading.recognise import recognised
from pipelines.scaffold.ask import Ask
from pipelines.scaffold.infer import Proposal, infer
from pipelines.scaffold.record import path_of, recorded
from pipelines.scaffold.render import rendered
from pipelines.scaffold.shown import summary
from pipelines.scaffold.trial import tried
from pipelines.scaffold.write import write


@dataclass(frozen=True)
class Made:
    """What a command says, and the files that it wrote."""

    report: str
    written: Sequence[str]


def make(ask: Ask, location: str, into: Path, *, is_trial: bool = False) -> Made:
    """Propose a case from a sample at the location, try its files in a copy, and write them.

    Args:
        location: the whole address; `ask.location` is without its secret.
        is_trial: nothing is written.

    Raises:
        UsageError: a column or the label can't be used; nothing was written.
        MillraceError: the case would not work; nothing was written.
    """
    settings = Settings()
    proposal = proposed(ask, location, settings)
    texts = whole(proposal, settings.clock().date(), into)
    if is_trial:
        return Made(_trial(proposal, texts), ())
    write(texts, into)
    return Made(_report(proposal, list(texts), settings, location), list(texts))


def proposed(ask: Ask, location: str, settings: Settings) -> Proposal:
    """What a sample at the location says."""
    roots = (*settings.data_roots, *_own_roots(location))
    allowing = settings.model_copy(update={"data_roots": roots})
    table = located(allowing, ask.name, location)
    if not isinstance(table, FileTable):
        return infer(ask, table, settings.clock())
    written = recognised(table, ask.dialect)
    return infer(ask, replace(table, dialect=written.dialect), settings.clock(), written)


def whole(proposal: Proposal, today: date, into: Path) -> Mapping[str, str]:
    """All files of a case, tried in a copy, and the record of them."""
    texts = tried(proposal.ask.name, rendered(proposal, today), into)
    return {**texts, path_of(proposal.ask.name): recorded(proposal.ask, texts, today).text}


def _trial(proposal: Proposal, texts: Mapping[str, str]) -> str:
    """What would be written."""
    files = [f"  {path}, {len(text.splitlines())} lines" for path, text in texts.items()]
    return "\n".join([summary(proposal), "Tried in a copy; nothing was written of", *files])


def absolute(source: str) -> str:
    """The location as the generated source has it: nothing depends on today's folder.

    Raises:
        UsageError: an address of a database without its table.
    """
    if "://" not in source:
        return str(Path(source).resolve())
    url, _, table = source.rpartition("#")
    if not url:
        if re.match(r"(?:s3|gs|gcs|abfs|abfss|hdfs)://", source):
            return source
        raise UsageError(f"--from {masked(source)}: say the table, SQLALCHEMY_URL#TABLE")
    try:
        made = sa.make_url(url)
    except ArgumentError as error:
        raise UsageError(f"--from: {masked(url)} is no SQLAlchemy URL") from error
    if made.get_backend_name() == "sqlite" and made.database:
        made = made.set(database=str(Path(made.database).resolve()))
    return f"{made.render_as_string(hide_password=False)}#{table}"


def masked(location: str) -> str:
    """The location without password, token or key: what may be written down.

    Example:
        >>> masked("postgresql://reader:s3cret@db/shop#orders")
        'postgresql://reader:***@db/shop#orders'
    """
    if "://" not in location:
        return location
    plain = re.sub(r"(://[^:/@]*):.*@", rf"\1:{HIDDEN}@", location)
    hidden = r"([?&][^=&#]*(?:pass|pwd|secret|token|key|sig)[^=&#]*=)[^&#]*"
    return re.sub(hidden, rf"\g<1>{HIDDEN}", plain, flags=re.IGNORECASE)


def _own_roots(location: str) -> tuple[Path, ...]:
    """Who names a file on the command line may have it read; the nightly run asks the setting."""
    path = local_path(location)
    if path is None:
        return ()
    return (path if path.is_dir() else path.parent,)


def local_path(location: str) -> Path | None:
    """The file or folder that a location names on this machine, if it does."""
    if "://" not in location:
        return Path(location)
    url, _, table = location.rpartition("#")
    if table and url.startswith("sqlite"):
        return Path(sa.make_url(url).database or "")
    return None


def _report(proposal: Proposal, written: list[str], settings: Settings, location: str) -> str:
    """What was written, and what to do next."""
    steps = (f"  - {step}" for step in _steps(proposal, settings, location))
    lines = [summary(proposal), *(f"  wrote   {path}" for path in written), "Next:", *steps]
    return "\n".join(lines)


def _steps(proposal: Proposal, settings: Settings, location: str) -> list[str]:
    name, variable = proposal.ask.name, f"MILLRACE_SOURCE_{proposal.ask.name.upper()}"
    steps = []
    if HIDDEN in proposal.ask.location:
        steps.append(f"set {variable} to the whole address, with its secret; no file has it")
    if root := _missing_root(settings, location):
        steps.append(f"let it be read: export MILLRACE_DATA_ROOTS='{json.dumps(root)}'")
    days = f"{proposal.first_day}/{proposal.last_day}"
    return [
        *steps,
        f"look at tests/golden/{name}_sample.csv before you commit it: it holds real rows",
        f"read expectations/{name}.py and pipelines/use_cases/{name}.py: each figure is a proposal",
        f"make check; `millrace remove {name}` takes it all back",
        f"millrace extract {name} --interval {days}, and so on; docs/add_a_use_case.md goes on",
    ]


def _missing_root(settings: Settings, location: str) -> list[str] | None:
    """The folders that the nightly run needs to be allowed; None: it may read the location."""
    path = local_path(location)
    if path is None:
        return None
    try:
        allowed(path, settings.data_roots)
    except BatchRefused:
        return [str(root) for root in (*settings.data_roots, *_own_roots(location))]
    return None
