"""The worked example of docs/time.md."""

import doctest

from pipelines.core.settings import ROOT


def test_the_worked_example_says_what_comes_out() -> None:
    found = doctest.testfile(str(ROOT / "docs" / "time.md"), module_relative=False)
    assert found.attempted >= 10
    assert found.failed == 0
