"""What each input tells of the label alone: too much, or nothing once its state is older."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa  # type: ignore[import-untyped]

from pipelines.core.outcomes import Deciding, Fading, Power

if TYPE_CHECKING:
    from models.spec import ModelSpec
    from models.tasks.bootstrap import ConfidenceInterval
    from models.tasks.task import Evidence
    from pipelines.learning.leaks.older import Older

# Below, an input tells too little for its loss to mean anything: 0.2 is a ROC AUC of 0.6.
TELLS_MIN = 0.2
# A queue that is an hour older says half as much; the outcome of another row says nothing.
LOST_MIN = 0.8
# Of classes: a ROC AUC of 0.975, at which a single honest input is as good as no model is.
DECIDES_CLASSES = 0.95
# Of numbers more: what a slow series was an hour ago tells 0.9 to 0.99 of what it is now. A copy,
# or whatever rises with the label, tells 1.
DECIDES_NUMBERS = 0.995
# Of fewer rows an input may decide by chance.
NUM_ROWS_MIN = 200


@dataclass(frozen=True)
class Asked:
    """A model's inputs, beside the labels.

    Args:
        rows: of the training set, with `day`.
        older: the same rows with older states.
    """

    spec: "ModelSpec"
    label: str
    rows: pa.Table
    older: "Older"

    @property
    def names(self) -> tuple[str, ...]:
        """The inputs of a single value."""
        return self.spec.columns.single.inputs

    def found(self) -> Iterator[Deciding | Fading]:
        """The inputs that look like knowledge of the future, in the order of the columns."""
        for name in self.names:
            evidence = self._evidence(self.rows, name)
            estimate = _estimate(evidence)
            if estimate >= self._decides_min and (deciding := self._deciding(name, evidence)):
                yield deciding
            if estimate >= TELLS_MIN / 2 and (fading := self._fading(name)):
                yield fading

    @property
    def _decides_min(self) -> float:
        kind = self.spec.task.label
        is_class = pa.types.is_string(kind) or pa.types.is_boolean(kind)
        return DECIDES_CLASSES if is_class else DECIDES_NUMBERS

    def _evidence(self, rows: pa.Table, name: str) -> "Evidence":
        from models import power

        is_number = name in self.spec.columns.numeric
        return power.of_input(self.spec.task, rows, self.label, name, is_number=is_number)

    def _deciding(self, name: str, evidence: "Evidence") -> Deciding | None:
        found = _interval(evidence)
        if found is None or found.low < self._decides_min:
            return None
        return Deciding(input=name, power=_power(found), num_rows=len(evidence))

    def _fading(self, name: str) -> Fading | None:
        """Only rows count that have an older state: who has none lost nothing."""
        from models import power
        from models.tasks.bootstrap import Bootstrap

        if not self.older.has_one or name in self.older.decided:
            return None
        is_compared = pa.array(self.older.comparable(name))
        rows, before = self.rows.filter(is_compared), self._before().filter(is_compared)
        if rows.num_rows < NUM_ROWS_MIN:
            return None
        joined, older = self._evidence(rows, name), self._evidence(before, name)
        now, then = _interval(joined), _interval(older)
        lost = Bootstrap().gain(power.POWER, older, joined)
        if now is None or then is None or lost is None or now.low < TELLS_MIN:
            return None
        if lost.low < LOST_MIN * now.estimate:
            return None
        return Fading(input=name, joined=_power(now), older=_power(then), num_rows=rows.num_rows)

    def _before(self) -> pa.Table:
        """The older rows with the labels of these."""
        found = self.older.rows
        for name in (self.label, "day"):
            if name not in found.column_names:
                found = found.append_column(name, self.rows[name])
        return found


def _estimate(evidence: "Evidence") -> float:
    from models import power

    return power.POWER.value(evidence) or 0.0


def _interval(evidence: "Evidence") -> "ConfidenceInterval | None":
    from models import power
    from models.tasks.bootstrap import Bootstrap

    return Bootstrap().interval(power.POWER, evidence)


def _power(found: "ConfidenceInterval") -> Power:
    estimate, low, high = (round(each, 6) for each in (found.estimate, found.low, found.high))
    return Power(estimate=estimate, low=low, high=high)
