"""Frozen values as plain JSON and back, for files between processes and beside a model."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import Any, Self, TypeVar, get_args

Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True)
class Plain:
    """A frozen value whose fields are plain, tuples of plain ones, or such values again.

    Example:
        >>> from models.tabular_net.optimisation import Optimisation
        >>> from models.tabular_net.settings import TabularNet
        >>> settings = TabularNet(optimisation=Optimisation(seed=3))
        >>> TabularNet.from_json(settings.to_json()) == settings
        True
    """

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` reads them back."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_json` gave.

        Raises:
            ValueError: a field is missing, unknown or out of its range; the message names it.
        """
        return parsed(cls, values)


def parsed(kind: type[Value], values: Mapping[str, Any]) -> Value:
    """A frozen value of plain ones.

    Raises:
        ValueError: see `Plain.from_json`.
    """
    types = {each.name: each.type for each in fields(kind)}  # type: ignore[arg-type]
    check_fields(kind.__name__, values, types)
    return kind(**{name: _parsed(types[name], value) for name, value in values.items()})


def check_fields(kind: str, found: Iterable[str], expected: Iterable[str]) -> None:
    """Refuse values that have other fields than a kind of value has.

    Raises:
        ValueError: names the fields.
    """
    wrong = sorted(set(found) ^ set(expected))
    if wrong:
        raise ValueError(
            f"{kind}: fields {wrong} are missing or unknown; it has {sorted(expected)}"
        )


def _parsed(kind: Any, value: Any) -> Any:
    if isinstance(value, Mapping):
        # Of `Kind | None` the kind, as there is a value.
        for each in get_args(kind) or (kind,):
            if is_dataclass(each):
                return parsed(each, value)  # type: ignore[arg-type]
    return tuple(value) if isinstance(value, list) else value
