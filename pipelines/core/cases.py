"""A case's own code, one file in each room: found by the case's name, imported when asked for."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from pipelines.core.errors import MillraceError
from pipelines.stores import feast
from pipelines.stores.feast import Definition
from pipelines.use_cases.spec.discovery import line_in, one_line

if TYPE_CHECKING:
    import pyarrow as pa  # type: ignore[import-untyped]

    from expectations.rules import Rule
    from models.spec import ModelSpec
    from pipelines.core.settings import Settings
    from pipelines.core.source import Source
    from pipelines.use_cases.spec.interval import Interval
    from pipelines.use_cases.spec.model import Model
    from pipelines.use_cases.spec.use_case import UseCase

_HOW = "docs/add_a_use_case.md says what it holds"


class SourceCode(Protocol):
    """`pipelines/data/extract/sources/<case>.py`."""

    def source(self, settings: "Settings", interval: "Interval") -> "Source":
        """Able to answer for the parts of this interval."""


class Contract(Protocol):
    """`expectations/<case>.py`."""

    def row_rules(self) -> "Mapping[str, tuple[Rule, ...]]":
        """What every row of a feed must satisfy, by the feed's name."""

    def table_rules(self) -> "Mapping[str, tuple[Rule, ...]]":
        """The same of silver and gold tables, by `<layer>.<name>`."""

    def table_keys(self) -> Mapping[str, tuple[str, ...]]:
        """What names a row of a table that is neither a feed's nor an entity state's."""


class Features(Protocol):
    """`features/<case>.py`."""

    def services(self, views: Sequence[Definition]) -> Sequence[Definition]:
        """The feature services, and what else Feast needs beside the views of entity states."""


class Models(Protocol):
    """`models/<case>.py`."""

    @property
    def MODELS(self) -> "Mapping[str, ModelSpec]":  # noqa: N802  # a constant of the module
        """Of each model, by its name: inputs, task, and its family's settings."""

    @property
    def derive(self) -> "Callable[[pa.Table], pa.Table]":
        """What is computed of a table of decisions with their states: columns appended."""


def source(case: str) -> SourceCode:
    """Where the rows of a case come from.

    Raises:
        MillraceError: the file is missing, can't be imported, or lacks a name; as for the others.
    """
    return cast("SourceCode", _code("pipelines.data.extract.sources", case, ("source",)))


def contract(case: str) -> Contract:
    """What the rows and tables of a case must look like."""
    names = ("row_rules", "table_rules", "table_keys")
    return cast("Contract", _code("expectations", case, names))


def features(case: "UseCase") -> Sequence[Definition]:
    """All Feast definitions of a case: entities, a view an entity state, services."""
    feast.load()
    from pipelines.stores import feast_views

    code = cast("Features", _code("features", case.name, ("services",)))
    views = feast_views.views(case)
    return [*feast_views.entities(views), *views, *code.services(views)]


def models(case: str) -> Models:
    """The models of a case."""
    return cast("Models", _code("models", case, ("MODELS", "derive")))


def model(case: str, asked: "Model") -> "ModelSpec":
    """One model of a case as its file says it: what its use case says in names.

    Raises:
        MillraceError: the file has no such model, or one of another task or family.
    """
    found, file = models(case).MODELS, f"models/{case}.py"
    if asked.name not in found:
        raise MillraceError(f"{file}: MODELS lacks {asked.name!r}: add it; {_HOW}")
    spec = found[asked.name]
    says = (spec.task.name, spec.settings.family)
    if says != (asked.task, asked.family):
        raise MillraceError(
            f"{file}: {asked.name!r} is {' by '.join(says)}, its use case says {asked.task} by "
            f"{asked.family}: let both say the same"
        )
    _check_refreshed(file, asked)
    return spec


def _check_refreshed(file: str, asked: "Model") -> None:
    from models import families
    from models.family import Refreshed

    if asked.is_refreshed and not isinstance(families.find(asked.family), Refreshed):
        raise MillraceError(
            f"{file}: {asked.name!r} is to be refreshed, which {asked.family} can't be: let its "
            "use case not say is_refreshed"
        )


def _code(room: str, case: str, names: Sequence[str]) -> object:
    name = f"{room}.{case}"
    file = f"{name.replace('.', '/')}.py"
    try:
        module = import_module(name)
    except Exception as error:  # Of whatever somebody's file does.
        if isinstance(error, ModuleNotFoundError) and error.name == name:
            raise MillraceError(f"{case} has no {file}: write it; {_HOW}") from error
        raise _unimportable(name, file, error) from error
    lacking = [each for each in names if not hasattr(module, each)]
    if lacking:
        raise MillraceError(f"{file} lacks {', '.join(lacking)}: add it; {_HOW}")
    return module


def _unimportable(name: str, file: str, error: Exception) -> MillraceError:
    """Names the line of the case's file; its error says the rest."""
    found = find_spec(name)
    line = line_in(error, Path(found.origin)) if found and found.origin else None
    place = f"{file}, line {line}" if line else file
    return MillraceError(f"{place}: {one_line(error)}; mend the file, no other case needs it")
