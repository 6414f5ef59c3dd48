"""What a stage's command takes beside its case, interval and model; standard library only."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Option:
    """A command line option of a stage.

    Args:
        field: the field of a Dag's trigger form that sets it; only for flags.
    """

    name: str
    help: str
    is_flag: bool = False
    field: str = ""

    @property
    def flag(self) -> str:
        return f"--{self.name}"
