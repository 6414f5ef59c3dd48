"""Whether answers add up, as their task says: a column of the answers, and its rule."""

from typing import TYPE_CHECKING

from expectations.rules import Between, Rule

if TYPE_CHECKING:
    from models.tasks.levels import Levels

OFF = "off_levels"
# Answers are of 7 digits, and a whole has some dozen parts.
_TOLERANCE = 1e-5


def off_levels(levels: "Levels | None") -> str:
    """One column more of a select, in SQL: how far each whole is from its parts, as a share.

    A part is off by 0; a whole without parts by null, which is no finding.
    """
    if levels is None:
        return ""
    answer, weight = f"double(`{levels.answer}`)", f"`{levels.weight}`" if levels.weight else "1"
    is_whole = f"`{levels.column}` = '{levels.whole}'"
    over = f"over (partition by {', '.join(f'`{name}`' for name in levels.by)}, decided_at)"
    total = f"sum(if({is_whole}, null, {answer} * {weight})) {over}"
    if levels.weight:
        total = f"{total} / sum(if({is_whole}, null, {weight})) {over}"
    off = f"abs({answer} - {total}) / greatest(abs({answer}), 1)"
    return f", if({is_whole}, {off}, 0) as {OFF}"


def level_rules(levels: "Levels | None") -> list[Rule]:
    """That nothing is off by more than rounding leaves."""
    if levels is None:
        return []
    way = f"the mean weighted by {levels.weight}" if levels.weight else "the sum"
    because = (
        f"the {levels.answer} of {levels.column} {levels.whole!r} is {way} of the others', of each "
        f"{', '.join(levels.by)}"
    )
    return [Between(OFF, 0, _TOLERANCE, because=because)]
