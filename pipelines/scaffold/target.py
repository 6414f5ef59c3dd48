"""What is to be predicted: the label's task, said or guessed, and its values as that has them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pipelines.core.errors import UsageError
from pipelines.data.extract.tables import Label
from pipelines.scaffold.guess import TASKS, TaskName, guessed, shown
from pipelines.scaffold.profile import CATEGORIES_MAX, Profile
from pipelines.use_cases.spec.use_case import ColumnType


@dataclass(frozen=True, kw_only=True)
class Target:
    """The label as its task has it.

    Args:
        label: the source's column, of a yes or no with its two words.
        type: of the feed's column.
        counts: the sample's rows of each class, in the order of the classes; a yes or no has
            `true` and `false`, a number none.
        low, high: of the sample's numbers.
        guessed: from what the task was guessed, in words; None: it was said.
    """

    task: TaskName
    label: Label
    type: ColumnType
    num_labelled: int
    counts: Mapping[str, int]
    low: float | None = None
    high: float | None = None
    guessed: str | None = None

    @property
    def frequent(self) -> Sequence[str]:
        """The classes, the most frequent first."""
        return sorted(self.counts, key=lambda each: -self.counts[each])

    @property
    def second_share(self) -> float:
        """The share of the second class by number among the labelled rows: of two the rarer."""
        second = self.frequent[1:2]
        return self.counts[second[0]] / self.num_labelled if second else 0.0


def target(profile: Profile, task: str | None, positive: str | None) -> Target:
    """The label by the task that was said, or else guessed; two words make it a yes or no.

    Raises:
        UsageError: the values are none of that task, or of no task that can be guessed.
    """
    if task is not None and task not in TASKS:
        raise UsageError(f"--task {task!r} is none of {', '.join(TASKS)}")
    if positive is not None and task not in (None, "binary"):
        raise UsageError(
            f"--positive says which of two values is true; leave it out of --task {task}"
        )
    if not profile.counts:
        raise UsageError(
            f"label {profile.source} has no value in {len(profile.texts)} rows: nothing is known "
            "yet that could be learned"
        )
    if task == "binary" or positive is not None:
        return _yes_or_no(profile, positive, None)
    if task is not None:
        return _MADE[task](profile, None)
    found, why = guessed(profile)
    return _yes_or_no(profile, None, why) if found == "binary" else _MADE[found](profile, why)


def _yes_or_no(profile: Profile, said: str | None, why: str | None) -> Target:
    values = sorted(profile.counts)
    if len(values) != 2:  # noqa: PLR2004
        raise UsageError(
            f"label {profile.source} has {len(values)} values{shown(profile)}; a yes or no has "
            "two, such as 0 and 1: make such a column at the source, or say another --task"
        )
    positive = said or _plain_positive(values)
    if positive not in values:
        told = "no " + repr(positive) if positive else "neither 0 and 1 nor true and false"
        raise UsageError(
            f"label {profile.source} has {told} but {values[0]!r} and {values[1]!r}; "
            f"say by --positive which of them is to be predicted"
        )
    negative = values[1 - values.index(positive)]
    return Target(
        task="binary",
        label=Label(profile.source, positive, negative),
        type="boolean",
        num_labelled=profile.counts.total(),
        counts={"true": profile.counts[positive], "false": profile.counts[negative]},
        guessed=why,
    )


def _plain_positive(values: Sequence[str]) -> str:
    """Which of two values says yes, if that is plain."""
    yes = [text for text in values if text.lower() in ("true", "1", "1.0")]
    no = [text for text in values if text.lower() in ("false", "0", "0.0")]
    return yes[0] if len(yes) == len(no) == 1 else ""


def _classes(profile: Profile, why: str | None) -> Target:
    if profile.is_number and not all(number.is_integer() for number in profile.numbers):
        raise UsageError(
            f"label {profile.source} has numbers that are not whole{shown(profile)}: these are no "
            "classes; write them as texts at the source, or say --task regression"
        )
    counts = _whole(profile) if profile.is_number else dict(sorted(profile.counts.items()))
    if not 2 <= len(counts) <= CATEGORIES_MAX:  # noqa: PLR2004
        raise UsageError(
            f"label {profile.source} has {len(counts)} values{shown(profile)}; classes are 2 to "
            f"{CATEGORIES_MAX}: group them at the source"
        )
    return Target(
        task="multiclass",
        label=Label(profile.source),
        type="bigint" if profile.is_number else "string",
        num_labelled=sum(counts.values()),
        counts=counts,
        guessed=why,
    )


def _whole(profile: Profile) -> Mapping[str, int]:
    """Whole numbers in their order, as a column of them writes each: 7.0 is 7."""
    return {str(int(number)): rows for number, rows in sorted(Counter(profile.numbers).items())}


def _number(profile: Profile, why: str | None) -> Target:
    if profile.low is None or profile.low == profile.high:
        raise UsageError(
            f"label {profile.source} is no column of different numbers{shown(profile)}: nothing "
            "says how much it will be; take another column, or another --task"
        )
    return Target(
        task="regression",
        label=Label(profile.source),
        type="double",
        num_labelled=len(profile.numbers),
        counts={},
        low=profile.low,
        high=profile.high,
        guessed=why,
    )


_MADE: Mapping[str, Callable[[Profile, str | None], Target]] = {
    "multiclass": _classes,
    "regression": _number,
}
