"""What the tests of several stages need."""

import warnings
from importlib import import_module

import pytest


@pytest.fixture(scope="session")
def great_expectations() -> None:
    """Imported once: its import warns of what it imports (`sre_parse`)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import_module("great_expectations.expectations")
        import_module("pipelines.stores.gx_engine")
