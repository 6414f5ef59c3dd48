"""What checks found, kept as Great Expectations' own JSON, and its own Data Docs of that.

A check keeps results alone, because a night waits for it; Data Docs are built for whoever asks.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from pipelines.core.errors import UsageError
from pipelines.stores import gx
from pipelines.stores.objects import Objects
from pipelines.use_cases.spec.interval import Interval


@dataclass(frozen=True)
class Kept:
    """What the checks of one interval keep: names below the reports.

    Example:
        >>> kept = Kept("flight_delays", Interval.parse("2026-11-20"))
        >>> kept.run_name("raw", 7)
        '2026-11-20.raw.7'
        >>> kept.docs
        'gx/flight_delays/2026-11/docs/2026-11-20'
    """

    case: str
    interval: Interval

    @property
    def results(self) -> str:
        """Those of a whole month: Great Expectations adds table, run and time."""
        return f"{self._month}/results"

    @property
    def docs(self) -> str:
        """Data Docs of this interval alone."""
        return f"{self._month}/docs/{self._key}"

    def run_name(self, layer: str, attempt: int) -> str:
        """Readable in the index of Data Docs, and a piece of each result's name."""
        return f"{self._key}.{layer}.{attempt}"

    def has(self, result: str) -> bool:
        """Whether a result of the month is of this interval."""
        return PurePosixPath(result).parts[-3].startswith(f"{self._key}.")

    def page(self, result: str) -> str:
        """Where a result's page of Data Docs is, once they are built."""
        own = PurePosixPath(result).relative_to(self.results).with_suffix(".html")
        return f"{self.docs}/validations/{own}"

    @property
    def _month(self) -> str:
        return f"gx/{self.case}/{self.interval.start:%Y-%m}"

    @property
    def _key(self) -> str:
        return self.interval.key.replace("/", "_")


def keep(run: Path, reports: Objects, kept: Kept) -> Mapping[str, str]:
    """Put the results of a run's folder among the reports.

    Great Expectations lists all that its folder holds at every run: so each run has a folder of
    its own, and what people look at later is kept elsewhere.

    Returns:
        By table, where its page of Data Docs is, once they are built.
    """
    pages = {}
    for file in (run / gx.RESULTS).glob("**/*.json"):
        path = file.relative_to(run / gx.RESULTS)
        name = f"{kept.results}/{path.as_posix()}"
        reports.put_file(name, file)
        *table, _run, _time, _file = path.parts
        pages[".".join(table)] = kept.page(name)
    return pages


def build(reports: Objects, kept: Kept) -> str:
    """Put Great Expectations' own Data Docs of the interval's results among the reports.

    Returns:
        The name of their index.

    Raises:
        UsageError: no check of the interval has kept a result.
    """
    names = [name for name in reports.names(kept.results) if kept.has(name)]
    if not names:
        raise UsageError(
            f"no check of {kept.case} {kept.interval} has kept a result: run a stage validate_*"
        )
    with TemporaryDirectory(prefix="millrace-") as folder:
        work = Path(folder).resolve()
        for name in names:
            file = work / gx.RESULTS / PurePosixPath(name).relative_to(kept.results)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(harmless(reports.read_text(name)))
        gx.open_context(work).build_data_docs()
        for file in filter(Path.is_file, (work / gx.DOCS).glob("**/[!.]*")):
            reports.put_file(f"{kept.docs}/{file.relative_to(work / gx.DOCS).as_posix()}", file)
    return f"{kept.docs}/index.html"


def harmless(result: str) -> str:
    """A kept result in which nothing of the data is markup any more.

    Great Expectations escapes limits, but not samples of bad values.
    """
    found = json.loads(result)
    for each in found["results"]:
        each |= {part: _escaped(each[part]) for part in ("result", "exception_info")}
    return json.dumps(found)


def _escaped(value: Any) -> Any:
    if isinstance(value, str):
        return escape(value)
    if isinstance(value, dict):
        return {key: _escaped(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_escaped(each) for each in value]
    return value
