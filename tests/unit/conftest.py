"""Unit tests see the default settings, whatever the developer's shell says."""

import os

import pytest


@pytest.fixture(autouse=True)
def _no_settings_of_the_developers_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("MILLRACE_") and not name.startswith("MILLRACE_TEST_"):
            monkeypatch.delenv(name)
