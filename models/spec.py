"""What a model is: one frozen value with its columns, its net and its training."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from models.architecture import Architecture
from models.columns import Columns
from models.optimisation import Optimisation
from models.preprocess import Preprocessing

_PARTS = {
    "columns": Columns,
    "preprocessing": Preprocessing,
    "architecture": Architecture,
    "optimisation": Optimisation,
}


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """One model of a use case; a variant is `dataclasses.replace(spec, ...)`.

    Raises:
        ValueError: the name is not a lower-case identifier.

    Example:
        >>> spec = ModelSpec(name="toy", columns=Columns(numeric=("distance_miles",)))
        >>> ModelSpec.from_json(spec.to_json()) == spec
        True
    """

    name: str
    columns: Columns
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    architecture: Architecture = field(default_factory=Architecture)
    optimisation: Optimisation = field(default_factory=Optimisation)

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or self.name != self.name.lower():
            raise ValueError(
                f"ModelSpec.name: {self.name!r} is not a lower-case identifier; "
                "give the use case's name"
            )

    def to_json(self) -> dict[str, Any]:
        """Plain values, for a file between processes."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave.

        Raises:
            ValueError: a field is missing, unknown or out of its range; the message names it.
        """
        _check_names("ModelSpec", values, {"name", *_PARTS})
        parts = {}
        for part, kind in _PARTS.items():
            _check_names(kind.__name__, values[part], {each.name for each in fields(kind)})
            parts[part] = kind(**values[part])
        return cls(name=values["name"], **parts)


def _check_names(kind: str, values: Mapping[str, Any], expected: set[str]) -> None:
    if set(values) != expected:
        raise ValueError(
            f"{kind}: fields {sorted(set(values) ^ expected)} are missing or unknown; "
            f"it has {sorted(expected)}"
        )
