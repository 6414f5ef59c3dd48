"""What a generated case says of each task: its question, by which family, and what is enough."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.scaffold.guess import TaskName


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The words and figures of one task.

    Args:
        asks, asks_of_a_row: the question, of a label and of a row of a case.
        known: what a label is, for the reader of a finding.
        family: by which it is learned, `because`.
        floor, enough: what the gate asks of the task's first metric, and what that means.
    """

    asks: str
    asks_of_a_row: str
    known: str
    family: str
    because: str
    floor: float
    enough: str


_NET = (
    "A net learns a yes or no on as many processes as the use case says, and carries its "
    "preprocessing inside"
)
# Grinsztajn et al., "Why do tree-based models still outperform deep learning on tabular data?"
# (2022): on tables of some ten thousand rows boosted trees win, untuned and in a tenth of the time.
_TREES = (
    "Boosted trees: on tables of some thousand rows they are hard to beat without tuning, and "
    "learned in seconds"
)
# Covington, Adams and Sargin, "Deep neural networks for YouTube recommendations" (2016).
_TWO_STAGE = "Few candidates are retrieved out of all items, and these are ranked"

ANSWERS: Mapping[TaskName, Answer] = {
    "binary": Answer(
        asks="Is {label} true?",
        asks_of_a_row="Is {label} true of a row of {name}?",
        known="true or false",
        family="tabular_net",
        because=_NET,
        floor=0.5,
        enough="Better than chance for sure",
    ),
    "multiclass": Answer(
        asks="Which {label} is it?",
        asks_of_a_row="Which {label} has a row of {name}?",
        known="a row without a class is no label",
        family="trees",
        because=_TREES,
        floor=0.0,
        enough="Better for sure than always saying how often each class is",
    ),
    "regression": Answer(
        asks="How much is {label}?",
        asks_of_a_row="How much is {label} of a row of {name}?",
        known="a row without a number is no label",
        family="trees",
        because=_TREES,
        floor=0.0,
        enough="Better for sure than always saying the labels' own quantiles",
    ),
    "ranking": Answer(
        asks="Which items will somebody take next?",
        asks_of_a_row="Which items of {name} will somebody take next?",
        known="who took nothing new has no label",
        family="two_stage",
        because=_TWO_STAGE,
        floor=0.0,
        enough="Better for sure than the sample's most popular items, which reached this",
    ),
    "forecast": Answer(
        asks="How much will {label} be in the time to come?",
        asks_of_a_row="How much will {label} of {name} be in the time to come?",
        known="a row without a number is no label",
        family="trees",
        because=_TREES,
        floor=0.0,
        enough="Better for sure than the naive forecast and the quantiles of its errors",
    ),
}
