"""What the person says of the source."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What the person says of the source; columns by its own names, `location` without secrets.

    Without a task it is guessed from the label's values.
    """

    name: str
    location: str
    key: tuple[str, ...]
    event_time: str
    label: str
    known_at: str | None = None
    label_known_at: str | None = None
    task: str | None = None
    positive: str | None = None
    without: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns that have a part to play."""
        times = (self.event_time, self.known_at, self.label_known_at)
        return tuple(dict.fromkeys((*self.key, *(name for name in times if name), self.label)))

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that was named."""
        return tuple(dict.fromkeys((*self.needed, *self.without, *self.only)))
