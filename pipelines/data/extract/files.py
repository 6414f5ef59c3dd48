"""Files that another system leaves in a folder, landed byte for byte.

Raw records stay raw: what is wrong with a row is for ingest to judge. Where files may be read is
a setting, `MILLRACE_DATA_ROOTS`; everything else is refused before it is opened.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipelines.core.errors import BatchRefused, MillraceError
from pipelines.core.source import SourceFile
from pipelines.data.reading.paths import allowed, refuse_url
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Feed

_CHUNK_BYTES = 2**20


@dataclass(frozen=True)
class Files:
    """A source that is a folder: the files of each feed and part, found by name.

    Args:
        folder: an absolute path inside one of `roots`.
        roots: the folders that may be read, `settings.data_roots`.
        pattern: a file's path in the folder; its last piece may hold `*` for several files.

    Raises:
        BatchRefused: the folder is outside the roots, or is no plain path.

    Example, the whole of `sources/<case>.py`:
        def source(settings: Settings, interval: Interval) -> Source:
            return Files("/data/sensors", settings.data_roots, "{feed}/{part}*.{format}")
    """

    folder: str
    roots: Sequence[Path]
    pattern: str = "{feed}/{part}.{format}"

    def __post_init__(self) -> None:
        allowed(self.folder, self.roots)

    def files(self, feed: Feed, part: Interval) -> Iterable[SourceFile]:
        """The files of one feed and part.

        Raises:
            BatchRefused: a path leads outside the roots, or is no plain file.
            MillraceError: there is none; a part without rows is an empty file.
        """
        name = self.pattern.format(feed=feed.name, part=part.key, format=feed.format)
        wanted = allowed(os.path.join(self.folder, refuse_url(name)), self.roots)  # noqa: PTH118
        found = sorted(wanted.parent.glob(wanted.name))
        if not found:
            raise MillraceError(
                f"{feed.name} of {part}: there is no {wanted}; run extract again once it is there"
            )
        for path in found:
            if not allowed(path, self.roots).is_file():
                raise BatchRefused(f"{path} is not a plain file")
            yield SourceFile(path.name, partial(_copy, feed, path))


def _copy(feed: Feed, source: Path, target: Path) -> int:
    """Copy the bytes; how many lines there are after the header.

    Raises:
        BatchRefused: the file changed meanwhile, so it is not complete yet.
    """
    lines, last = 0, b"\n"
    # Not through a symlink that was put there since the path was checked.
    handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW)
    before = os.fstat(handle)
    with os.fdopen(handle, "rb") as read, target.open("wb") as write:
        while chunk := read.read(_CHUNK_BYTES):
            write.write(chunk)
            lines, last = lines + chunk.count(b"\n"), chunk[-1:]
        after = os.fstat(handle)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise BatchRefused(f"{source} is still being written; run extract again when it is whole")
    header = 1 if feed.format == "csv" else 0
    return max(lines + (last != b"\n") - header, 0)
