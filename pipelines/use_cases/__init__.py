"""The use cases, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from pipelines.core.errors import UsageError
from pipelines.use_cases.flight_delays import FLIGHT_DELAYS
from pipelines.use_cases.spec.use_case import UseCase

USE_CASES: Mapping[str, UseCase] = MappingProxyType({case.name: case for case in (FLIGHT_DELAYS,)})


def find(name: str) -> UseCase:
    """The use case of that name.

    Raises:
        UsageError: there is none; the message lists those there are.
    """
    if name not in USE_CASES:
        raise UsageError(f"no use case {name!r}; there is {', '.join(sorted(USE_CASES))}")
    return USE_CASES[name]
