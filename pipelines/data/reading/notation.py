"""How the values of a column are written: guessed once, from then on a literal of the source.

Standard library only.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Epoch: TypeAlias = Literal["", "s", "ms", "us", "ns"]


@dataclass(frozen=True, kw_only=True)
class Notation:
    """What the texts of a column mean; the defaults are a point, ISO 8601 and UTC.

    Args:
        decimal: between the whole and the broken part of a number.
        thousands: between groups of three digits; "": nothing.
        signs: what may stand before or after a number, such as `€`, `$`, `%`, `kg`.
        missing: words for *missing*; an empty text always is.
        true, false: the words of a yes or no, besides true and false in any case.
        format: of dates and instants, as `strptime` has it; "": ISO 8601.
        zone: of instants that do not say theirs, by its IANA name.
        epoch: whole numbers are instants, so many seconds, milli-, micro- or
            nanoseconds since 1970.
        is_exact: only the forms that Millrace itself writes, such as `2026-11-20T13:45:00Z`: no
            other zone, no `7.0` for 7, no spaces.

    Example:
        >>> Notation(decimal=",", thousands=".", signs=("€",)).zone
        'UTC'
    """

    decimal: str = "."
    thousands: str = ""
    signs: tuple[str, ...] = ()
    missing: frozenset[str] = frozenset()
    true: tuple[str, ...] = ()
    false: tuple[str, ...] = ()
    format: str = ""
    zone: str = "UTC"
    epoch: Epoch = ""
    is_exact: bool = False


PLAIN = Notation()
LANDING = Notation(is_exact=True)
