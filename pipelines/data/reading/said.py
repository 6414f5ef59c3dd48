"""What a person says of how a file is written, and what is guessed of a column."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from pipelines.data.reading.formats import refuse_bad
from pipelines.data.reading.guess_numbers import Style
from pipelines.data.reading.notation import Notation
from pipelines.use_cases.spec.use_case import ColumnType


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the person said by options of how the file is written; None: nothing.

    Args:
        dates: forms of dates and instants, as `strptime` has them; a column takes the first
            that fits.

    Raises:
        ValueError: an option that says nothing that can be read.
    """

    decimal: str | None = None
    thousands: str | None = None
    zone: str | None = None
    missing: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.decimal not in (None, ".", ","):
            raise ValueError(f"--decimal {self.decimal!r}: it is '.' or ','")
        if self.thousands is not None and (
            self.thousands == self.decimal or self.thousands not in (*".,' ", "\u00a0", "\u202f")
        ):
            raise ValueError(
                f"--thousands {self.thousands!r}: it is '.', ',', ' ' or an apostrophe, and not "
                "the decimal mark"
            )
        for form in self.dates:
            refuse_bad(form)
        if self.zone is not None:
            _refuse_unknown(self.zone)

    @property
    def style(self) -> Style:
        """Of point and comma one is decimal, if the other is of thousands."""
        implied = {".": ",", ",": "."}.get(self.thousands or "", "")
        return Style(self.decimal or implied, self.thousands or "")


def _refuse_unknown(zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(
            f"--zone {zone!r} is no IANA time zone; it is like Europe/Berlin or UTC"
        ) from error


@dataclass(frozen=True, kw_only=True)
class Guess:
    """What a column is.

    Args:
        told: what the person has to know of it, a line each.
        asks: what is not certain, with the option that says it; None: it is.
    """

    kind: ColumnType
    notation: Notation
    told: tuple[str, ...] = ()
    asks: str | None = None
