"""What a blend is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from models.family import Settings


@dataclass(frozen=True, kw_only=True)
class Blend(Settings):
    """Members of any families, each by a name.

    Raises:
        ValueError: fewer than two members, or a name that is none of a folder.
    """

    family: ClassVar[str] = "blend"
    members: Mapping[str, Settings]

    def __post_init__(self) -> None:
        if len(self.members) < 2:  # noqa: PLR2004
            raise ValueError(f"Blend.members: {list(self.members)} are too few; give two or more")
        wrong = [name for name in self.members if not name.isidentifier()]
        if wrong:
            raise ValueError(f"Blend.members: {wrong} are no identifiers; they name folders")
