"""Small line charts, drawn by the server as SVG: no script is needed to look at them."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 240, 48
_MARGIN = 3


@dataclass(frozen=True)
class Line:
    """A line of values, oldest first, in a box of WIDTH by HEIGHT.

    Args:
        points: for the attribute of an SVG polyline.
        label: the same in words, for those who can't see it.
    """

    points: str
    label: str
    last_x: float
    last_y: float


def line(values: Sequence[float], label: str) -> Line | None:
    """A line from zero, or from the smallest below it, to the largest value; None: fewer than two.

    Example:
        >>> line([0, 10], "rows").points
        '3.0,45.0 237.0,3.0'
        >>> line([-5, 5], "degrees").points
        '3.0,45.0 237.0,3.0'
    """
    if len(values) < 2:  # noqa: PLR2004  (one point is no line)
        return None
    step = (WIDTH - 2 * _MARGIN) / (len(values) - 1)
    low = min(0, *values)
    scale = (HEIGHT - 2 * _MARGIN) / (max(values) - low or 1)
    places = [
        (_MARGIN + number * step, HEIGHT - _MARGIN - (value - low) * scale)
        for number, value in enumerate(values)
    ]
    said = f"{label}: {len(values)} values, from {values[0]:,.4g} to {values[-1]:,.4g}"
    return Line(" ".join(f"{x:.1f},{y:.1f}" for x, y in places), said, *places[-1])
