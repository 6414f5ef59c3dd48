"""What the person says of the source."""

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from pipelines.core.errors import UsageError
from pipelines.data.reading.said import Said
from pipelines.data.reading.sniff import SaidDialect


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What the person says of the source; columns by its own names, `location` without secrets.

    Without a task it is guessed from the label's values; so is how the source is written, of which
    all that is None is not said: see `SaidDialect` and `Said`.

    Args:
        label: what is predicted; of a ranking, whose key is who and what, a number such as stars
            that each row has, if any.
        horizon: of a forecast, how many hours or days ahead; None: as many as are usual.

    Raises:
        UsageError: nothing can be read so.
    """

    name: str
    location: str
    key: tuple[str, ...]
    event_time: str
    label: str = ""
    known_at: str | None = None
    label_known_at: str | None = None
    task: str | None = None
    positive: str | None = None
    horizon: int | None = None
    without: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    escape: str | None = None
    skipped_lines: int | None = None
    records: str | None = None
    sheet: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    zone: str | None = None
    missing: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        try:
            _ = (self.dialect, self.values)
        except ValueError as error:
            raise UsageError(str(error)) from error

    @cached_property
    def dialect(self) -> SaidDialect:
        """Of how a file's records stand in it."""
        return SaidDialect(**self._of(SaidDialect), names=self.needed)

    @cached_property
    def values(self) -> Said:
        """Of how its values are written."""
        return Said(**self._of(Said))

    def _of(self, kind: type[SaidDialect] | type[Said]) -> dict[str, Any]:
        """What was said of its fields, which have the same names here."""
        return {
            each.name: getattr(self, each.name) for each in fields(kind) if hasattr(self, each.name)
        }

    @property
    def named(self) -> tuple[str, ...]:
        """The columns of the key that are no instant: of a forecast those that name a series."""
        return tuple(name for name in self.key if name != self.event_time)

    @property
    def row_key(self) -> tuple[str, ...]:
        """The columns that name a row: who took what when, or a series' value at an instant."""
        is_timed = self.task in ("ranking", "forecast") and self.event_time not in self.key
        return (*self.key, self.event_time) if is_timed else self.key

    @property
    def outcome(self) -> str:
        """The column of what is predicted: of a ranking the item."""
        return self.named[1] if self.is_ranking else self.label

    @property
    def is_ranking(self) -> bool:
        return self.task == "ranking"

    @property
    def times(self) -> tuple[str, ...]:
        """The columns of instants."""
        found = (self.event_time, self.known_at, self.label_known_at)
        return tuple(dict.fromkeys(name for name in found if name))

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns that have a part to play."""
        return tuple(name for name in dict.fromkeys((*self.key, *self.times, self.label)) if name)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that was named."""
        return tuple(dict.fromkeys((*self.needed, *self.without, *self.only)))
