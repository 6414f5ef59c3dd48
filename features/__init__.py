"""What a feature is, for training and for serving alike: Feast definitions, nothing else.

Importing a case's definitions imports Feast; `pipelines.stores.feast.load` makes that quick.
"""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

CASES: Mapping[str, str] = MappingProxyType({"flight_delays": "features.flight_delays"})


def registry(case: str) -> list[Any]:
    """The entities, feature views and feature services of a case: all of them, and in the open.

    Raises:
        KeyError: the case has no features.
    """
    objects: list[Any] = import_module(CASES[case]).OBJECTS
    return objects
