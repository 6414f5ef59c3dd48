"""The families, by name; a new one is its package and its line here."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from models.errors import FamilyMissing
from models.family import Family, Settings

PACKAGES = {
    "tabular_net": "models.tabular_net",
    "trees": "models.trees",
    "blend": "models.blend",
    "linear_net": "models.linear_net",
    "reconciled": "models.reconciled",
    "seasonal_naive": "models.seasonal_naive",
    "segments": "models.segments",
    "two_stage": "models.two_stage",
}


@cache
def find(name: str) -> Family:
    """The family of that name.

    Raises:
        FamilyMissing: there is none, its package lacks something, or what it needs is not
            installed; says what.
    """
    if name not in PACKAGES:
        raise FamilyMissing(f"no family {name!r}; there is {', '.join(PACKAGES)}")
    module = import_module(PACKAGES[name])
    family = getattr(module, "FAMILY", None)
    if not isinstance(family, Family):
        raise FamilyMissing(
            f"{PACKAGES[name]} has no FAMILY of models.family.Family; "
            "docs/add_a_model_family.md says what it holds"
        )
    absent = [package for package in family.requires if find_spec(package) is None]
    if absent:
        raise FamilyMissing(
            f"the family {name} needs {', '.join(absent)}, which is not installed here; install "
            "it, or ask a model of another family"
        )
    return family


def to_json(settings: Settings) -> dict[str, Any]:
    """Settings with their family's name, as plain values."""
    return {"family": settings.family, **find(settings.family).settings_to_json(settings)}


def settings_from_json(values: Mapping[str, Any]) -> Settings:
    """Read what `to_json` gave.

    Raises:
        ValueError: fields are missing or unknown.
        FamilyMissing: see `find`.
    """
    own = dict(values)
    return find(str(own.pop("family", ""))).settings_from_json(own)
