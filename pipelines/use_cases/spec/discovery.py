"""The use cases that lie in a folder, a file each; one that can't be loaded hurts no other.

Standard library only: Dags import this at parse time.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from threading import Lock
from traceback import walk_tb
from types import CodeType, MappingProxyType, ModuleType
from typing import TypeAlias

from pipelines.core.errors import MillraceError
from pipelines.use_cases.spec import locks
from pipelines.use_cases.spec.use_case import UseCase

# What tells one state of a file from the next: when it was written, and how long it is.
_Stamp: TypeAlias = tuple[int, int]


@dataclass(frozen=True)
class BrokenCase:
    """A file that should be a use case and is none: where it fails, and how.

    Example:
        >>> print(BrokenCase("loans", "pipelines/use_cases/loans.py", 12, "SyntaxError: bad"))
        pipelines/use_cases/loans.py, line 12: SyntaxError: bad
    """

    name: str
    file: str
    line: int | None
    error: str

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{place}: {self.error}"


@dataclass(frozen=True)
class Cases:
    """What a folder holds, each by its name: use cases, and files that should be one.

    Args:
        unavailable: of those found, why one can't be worked on here: a package is not installed.
    """

    found: Mapping[str, UseCase]
    broken: Mapping[str, BrokenCase]
    unavailable: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _File:
    """One state of a file, and what came of importing it."""

    stamp: _Stamp
    loaded: UseCase | BrokenCase


@dataclass
class Discovery:
    """Looks into one folder at each call, and imports only what has changed since the last.

    Args:
        folder: each module file in it is a use case of the file's name.
        package: the folder's name as a package; a case's module is `<package>.<case>`.
    """

    folder: Path
    package: str
    _files: dict[str, _File] = field(default_factory=dict)
    _cases: Cases = field(default_factory=lambda: Cases({}, {}))
    _lock: Lock = field(default_factory=Lock)

    def load(self) -> Cases:
        """The cases as the folder is now; some tens of microseconds when nothing has changed."""
        with self._lock:
            stamps = dict(sorted(_stamps(self.folder)))
            if stamps != {name: file.stamp for name, file in self._files.items()}:
                self._forget(self._files.keys() - stamps.keys())
                self._files = {name: self._file(name, stamp) for name, stamp in stamps.items()}
                self._cases = self._sorted_out()
            unavailable = self._unavailable()
            if unavailable != self._cases.unavailable:
                self._cases = replace(self._cases, unavailable=unavailable)
            return self._cases

    def _unavailable(self) -> Mapping[str, str]:
        """Asked anew at each call: packages come and go without a change of any file."""
        said = {name: locks.unavailable(self.folder / f"{name}.lock") for name in self._cases.found}
        return MappingProxyType({name: why for name, why in said.items() if why})

    def _forget(self, names: set[str]) -> None:
        for name in names:
            sys.modules.pop(f"{self.package}.{name}", None)

    def _file(self, name: str, stamp: _Stamp) -> _File:
        known = self._files.get(name)
        return known if known and known.stamp == stamp else _File(stamp, self._loaded(name))

    def _loaded(self, name: str) -> UseCase | BrokenCase:
        path = self.folder / f"{name}.py"
        try:
            return _use_case(_imported(f"{self.package}.{name}", path), name)
        # Of whatever a file does when it is imported, to leave included.
        except (Exception, SystemExit) as error:
            return BrokenCase(name, self._shown(name), line_in(error, path), one_line(error))

    def _shown(self, name: str) -> str:
        return f"{self.package.replace('.', '/')}/{name}.py"

    def _sorted_out(self) -> Cases:
        loaded = {name: file.loaded for name, file in self._files.items()}
        found = {name: case for name, case in loaded.items() if isinstance(case, UseCase)}
        broken = {name: case for name, case in loaded.items() if isinstance(case, BrokenCase)}
        for name, said in _clashes(found).items():
            del found[name]
            broken[name] = BrokenCase(name, self._shown(name), None, said)
        return Cases(MappingProxyType(found), MappingProxyType(dict(sorted(broken.items()))))


def _stamps(folder: Path) -> Iterator[tuple[str, _Stamp]]:
    """Each module file by its name; what begins with a dot is an editor's, not anybody's case."""
    with os.scandir(folder) as entries:
        for entry in entries:
            name, suffix = os.path.splitext(entry.name)  # noqa: PTH122  # a Path each is slower
            if suffix != ".py" or name.startswith(".") or name == "__init__":
                continue
            try:
                state = entry.stat()
            except FileNotFoundError:  # Removed since the folder was read.
                continue
            yield name, (state.st_mtime_ns, state.st_size)


class _Loader(SourceFileLoader):
    """From the source itself: Python's own cache can't tell two states of one second and size."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


def _imported(name: str, path: Path) -> ModuleType:
    """The file as a module anew, in the place of what was imported from it before."""
    spec = spec_from_file_location(name, path, loader=_Loader(name, str(path)))
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} can't be imported")
    module, before = module_from_spec(spec), sys.modules.get(name)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        if before is not None:
            sys.modules[name] = before
        raise
    return module


def _use_case(module: ModuleType, name: str) -> UseCase:
    """The one use case of a module, which has the module's name.

    Raises:
        ValueError: it defines none, several, or one of another name.
    """
    values = {id(value): value for value in vars(module).values()}
    cases = [value for value in values.values() if isinstance(value, UseCase)]
    if not cases:
        raise ValueError(f"it defines no UseCase; it needs one, UseCase(name={name!r}, ...)")
    if len(cases) > 1:
        names = ", ".join(case.name for case in cases)
        raise ValueError(f"it has {len(cases)} of UseCase ({names}); a file is one case")
    if cases[0].name != name:
        raise ValueError(f"its UseCase is named {cases[0].name!r}; it must be named as the file is")
    return cases[0]


def _clashes(found: Mapping[str, UseCase]) -> dict[str, str]:
    """Cases that would write a table of another, and in which words.

    `a` with a table `b_x` and `a_b` with a table `x` would share `a_b_x`: whose name is the longer
    keeps it.
    """
    owners: dict[str, str] = {}
    clashes: dict[str, str] = {}
    for name in sorted(found, key=lambda each: (-len(each), each)):
        tables = found[name].all_tables
        taken = next((table for table in tables if table in owners), None)
        if taken is not None:
            clashes[name] = f"its table {taken} is one of the case {owners[taken]}: rename its own"
        else:
            owners |= dict.fromkeys(tables, name)
    return clashes


def line_in(error: BaseException, path: Path) -> int | None:
    """The line of a file at which an error arose, or by which it was called; None: elsewhere."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno
    lines = [
        line
        for frame, line in walk_tb(error.__traceback__)
        if frame.f_code.co_filename == str(path)
    ]
    return lines[-1] if lines else None


def one_line(error: BaseException) -> str:
    """What an error says, on one line.

    Example:
        >>> one_line(ValueError("two\\nlines"))
        'ValueError: two lines'
    """
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {' '.join(said.split())[:500]}"


def unusable(broken: BrokenCase) -> MillraceError:
    """The refusal of a command of a broken case."""
    return MillraceError(
        f"use case {broken.name!r} can't be loaded: {broken}; mend the file, or remove it "
        "(docs/add_a_use_case.md says what it needs); the other cases go on"
    )
