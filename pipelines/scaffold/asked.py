"""What the templates need of the label and its task."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from pipelines.scaffold.answers import ANSWERS
from pipelines.scaffold.guess import GUESSED
from pipelines.scaffold.infer import Proposal
from pipelines.scaffold.limits import Limits
from pipelines.scaffold.literals import call, names, number, quoted, wrapped
from pipelines.scaffold.measures import Measure, measures
from pipelines.scaffold.plan import Plan

# Over so many days a state looks back.
DAYS = (7, 28)
# Registered models are named by it.
_MODEL_MAX = 32


def between(name: str, limits: Limits | None, indent: int) -> str:
    """The rule of a number's limits; empty: it has none."""
    if limits is None or not limits.are_any:
        return ""
    ends = [("min", limits.low), ("max", limits.high)]
    said = [f"{end}={number(value)}" for end, value in ends if value is not None]
    because = f"because={quoted(f'the sample: {limits.because}; edit')}"
    return call("Between(", [quoted(name), *said, because], ")", indent)


class Asked:
    """The label of a proposal, as Python, SQL and words."""

    def __init__(self, proposal: Proposal) -> None:
        self._name, self._label = proposal.ask.name, proposal.label
        self._target, self._answer = proposal.target, ANSWERS[proposal.target.task]

    @cached_property
    def _measures(self) -> Sequence[Measure]:
        return measures(self._label, self._target) if self._target.task in GUESSED else ()

    @property
    def features(self) -> list[str]:
        """The features of the entity's state."""
        counts = (f"num_rows_{days}d" for days in DAYS)
        return [*counts, *(each.feature(days) for each in self._measures for days in DAYS)]

    @property
    def rule(self) -> str:
        """What a label is where it is known; empty: its type says all."""
        if self._target.task != "multiclass":
            return between(self._label, self._target.limits, 0)
        because = f"models/{self._name}.py learns these; add a new one there and here"
        classes = names(list(self._target.counts), 4)
        return call("InSet(", [quoted(self._label), classes, f"because={quoted(because)}"], ")", 0)

    def values(self, plan: Plan) -> dict[str, Any]:
        """By the names that the templates have for them."""
        said = {"label": self._label, "name": self._name}
        rows = f"For some {plan.num_training_rows:,} training rows, as the sample lets expect."
        return {
            "title": wrapped(f'"""{self._answer.asks_of_a_row.format(**said)}'),
            "question": self._answer.asks.format(**said),
            "model": self._label[:_MODEL_MAX].strip("_"),
            "task": self._target.task,
            "answer": self._answer,
            "floor": self._answer.floor,
            "because": wrapped(f"{self._answer.because}. {rows}", 8, "# "),
            "enough": wrapped(f"{self._answer.enough}; raise it to what your use needs.", 16, "# "),
            "classes": names(list(self._target.counts), 12),
            "label_type": self._target.type,
            "label_rule": self.rule,
            "measures": self._measures,
            "sums": [f"{m.counted}_{days}d" for m in self._measures for days in DAYS],
            "state_days": DAYS,
        }
