"""Run in a copy of the repository: whether a case there can be loaded, read by dbt, and tested."""

import inspect
import logging
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines.core import cases
from pipelines.core.settings import ROOT, Settings
from pipelines.stores import dbt
from pipelines.use_cases import find
from pipelines.use_cases.spec.discovery import one_line
from pipelines.use_cases.spec.use_case import UseCase


def rehearse(name: str, home: Path) -> None:
    """Load all code of a case, let dbt parse its models, and run its own tests.

    Raises:
        Exception: whatever fails, with the case's file where it is known.
    """
    case, settings = find(name), Settings(home=home)
    for model in case.models:
        cases.model(name, model)
    cases.source(name)
    _refuse_unknown(case)
    dbt.run(settings, ("list",), case, settings.yesterday(), "--resource-type", "model")
    for test in _tests(ROOT / "tests" / "unit" / f"test_{name}.py"):
        _call(test, home)
    compile((ROOT / "features" / f"{name}.py").read_text(), f"features/{name}.py", "exec")


def _refuse_unknown(case: UseCase) -> None:
    """A rule of a column that its feed does not have."""
    contract = cases.contract(case.name)
    for feed, rules in contract.row_rules().items():
        columns = {getattr(rule, "column", "") for rule in rules}
        if unknown := columns - {*case.feed(feed).column_names, ""}:
            raise ValueError(f"expectations/{case.name}.py: {feed} has no {sorted(unknown)}")


def _tests(path: Path) -> list[Callable[..., None]]:
    spec = spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} can't be imported")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return [value for name, value in vars(module).items() if name.startswith("test_")]


def _call(test: Callable[..., None], home: Path) -> None:
    """As pytest calls it."""
    folder = home / test.__name__
    folder.mkdir()
    try:
        test(**dict.fromkeys(inspect.signature(test).parameters, folder))
    except AssertionError as error:
        raise AssertionError(f"{test.__name__} of its own test fails: {error}") from error


def main(name: str) -> int:
    """0: the case works; 1: it does not, and the last line of stderr says why."""
    logging.disable()
    try:
        with TemporaryDirectory() as home, redirect_stdout(sys.stderr):
            rehearse(name, Path(home))
    except Exception as error:  # Of whatever a case's files do.
        print(one_line(error), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
