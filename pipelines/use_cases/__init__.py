"""The use cases, by name: each file of this folder is one, and `spec` is what they are made of."""

from pathlib import Path

from pipelines.core.errors import UsageError
from pipelines.use_cases.spec.discovery import Cases, Discovery, unusable
from pipelines.use_cases.spec.use_case import UseCase

_HERE = Discovery(Path(__file__).parent, __name__)


def load() -> Cases:
    """Every use case as its file is now: what is new, changed or gone needs no restart.

    Example:
        >>> sorted(load().broken)
        []
    """
    return _HERE.load()


def find(name: str) -> UseCase:
    """The use case of that name.

    Raises:
        UsageError: there is none; the message lists those there are.
        MillraceError: its file can't be loaded; the message says where and why.
    """
    cases = load()
    if name in cases.broken:
        raise unusable(cases.broken[name])
    if name not in cases.found:
        raise UsageError(f"no use case {name!r}; there is {', '.join(cases.found) or 'none'}")
    return cases.found[name]


def available(name: str) -> UseCase:
    """The use case of that name, which can be worked on here.

    Raises:
        UsageError: a package of its lock is not installed; or see `find`.
        MillraceError: see `find`.
    """
    case, why = find(name), load().unavailable.get(name)
    if why:
        raise UsageError(f"{name} is unavailable: {why}")
    return case
