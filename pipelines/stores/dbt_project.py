"""The dbt project, and what its YAML says of a table."""

from collections.abc import Mapping
from typing import Any

import yaml  # type: ignore[import-untyped]

from pipelines.core.errors import MillraceError
from pipelines.core.settings import ROOT

PROJECT = ROOT / "pipelines/data/transform/dbt"
# Of a table of entity states: when a state was so, and the partition. No features.
NO_FEATURES = ("known_at", "known_date")


def described(case: str, layer: str, table: str) -> Mapping[str, Any]:
    """The entry of a model: its description, and its columns with names, types and descriptions.

    Raises:
        MillraceError: there is no such YAML file, or no such model in it.
    """
    name = f"{case}_{table}"
    path = PROJECT / "models" / case / layer / f"{name}.yml"
    shown = path.relative_to(ROOT)
    try:
        models = yaml.safe_load(path.read_text())["models"]
    except FileNotFoundError as error:
        raise MillraceError(
            f"{case}.{table} has no {shown}: write it, with the name, type and description of each "
            "column"
        ) from error
    found: Mapping[str, Any] | None = next((each for each in models if each["name"] == name), None)
    if found is None:
        raise MillraceError(f"{shown} has no model {name}: add it")
    return found
