"""What a case's source offers to be landed: the files of a feed's part, still to be written."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Feed


@dataclass(frozen=True)
class SourceFile:
    """A file that a source offers: its name, and how to write it to a path; gives its rows."""

    name: str
    write: Callable[[Path], int]


class Source(Protocol):
    """A source system: the files that it published of one feed in one part."""

    def files(self, feed: Feed, part: Interval) -> Iterable[SourceFile]: ...
