"""What is to be predicted: the label's task, said or guessed, and its values as that has them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pipelines.core.errors import UsageError
from pipelines.data.extract.labels import Label, folded
from pipelines.data.reading.missing import missing_words
from pipelines.scaffold.guess import CLASS_ROWS_MIN, TASKS, TaskName, guessed, shown
from pipelines.scaffold.limits import Limits, limits, sane, widest
from pipelines.scaffold.profile import CATEGORIES_MAX, Profile
from pipelines.scaffold.words import NO, Pair, Value, are_slips, plain_pair, said_pair, values
from pipelines.use_cases.spec.use_case import ColumnType

# With fewer labels nothing is learned, and no challenger is judged by fewer (`Gate.num_rows_min`).
ROWS_MIN = 30


@dataclass(frozen=True, kw_only=True)
class Target:
    """The label as its task has it.

    Args:
        label: the source's column, of a yes or no with its words.
        type: of the feed's column.
        counts: the sample's rows of each class, in the order of the classes; a yes or no has
            `true` and `false`, a number none.
        limits: between which a number is plausible; its two are always there.
        low, high: of the sample's plausible numbers.
        slips: texts that are no value of the label, for quarantine, and their rows.
        missing: words that mean *not known yet*.
        guessed: from what the task was guessed, in words; None: it was said.
    """

    task: TaskName
    label: Label
    type: ColumnType
    num_labelled: int
    counts: Mapping[str, int]
    limits: Limits | None = None
    low: float | None = None
    high: float | None = None
    slips: Mapping[str, int]
    missing: frozenset[str] = frozenset()
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
    _refuse_words(profile, task, positive)
    if task == "binary" or positive is not None:
        return _yes_or_no(profile, _pair(profile, positive), None)
    if task is not None:
        return _MADE[task](profile, None)
    if pair := plain_pair(_known(profile)):
        return _yes_or_no(profile, pair, "it has two values")
    found, why = guessed(profile)
    if found == "binary":
        return _yes_or_no(profile, _pair(profile, None), why)
    return _MADE[found](profile, why)


def _refuse_words(profile: Profile, task: str | None, positive: str | None) -> None:
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


def _known(profile: Profile) -> Mapping[str, int]:
    """The label's texts without the words for *missing*, of texts too: they are no yes or no."""
    words = missing_words(profile.counts)
    return {text: n for text, n in profile.counts.items() if text.strip() not in words}


def _pair(profile: Profile, said: str | None) -> Pair:
    """Which of two values is true; the plain words of a yes or no need not be said.

    Raises:
        UsageError: there are not two, or nobody says which.
    """
    counts, plain = _known(profile), plain_pair(_known(profile))
    if said is None and plain:
        return plain
    if said is not None and plain and folded(said) in map(folded, _spellings(plain)):
        is_no = folded(said) in NO
        return Pair(plain.no, plain.yes, plain.slips) if is_no else plain
    found = values(counts)
    if len(found) < 2 or not are_slips(found[2:], found[:2]):  # noqa: PLR2004
        raise UsageError(
            f"label {profile.source} has {len(found)} values{shown(profile)}; a yes or no has "
            "two, such as 0 and 1: make such a column at the source, or say another --task"
        )
    pair = said_pair(counts, said) if said is not None else None
    if pair is None:
        told = "neither yes and no, 0 and 1 nor true and false" if said is None else f"no {said!r}"
        first, second = sorted(value.name for value in found[:2])
        raise UsageError(
            f"label {profile.source} has {told} but {first!r} and {second!r}; "
            f"say by --positive which of them is to be predicted"
        )
    return pair


def _spellings(pair: Pair) -> Sequence[str]:
    return (*pair.yes.spellings, *pair.no.spellings)


def _yes_or_no(profile: Profile, pair: Pair, why: str | None) -> Target:
    counts = {"true": pair.yes.num_rows, "false": pair.no.num_rows}
    return Target(
        task="binary",
        label=Label(profile.source, _words(pair.yes), _words(pair.no)),
        type="boolean",
        num_labelled=sum(counts.values()),
        counts=counts,
        slips=_texts(pair.slips, profile),
        missing=missing_words(profile.counts),
        guessed=why,
    )


def _words(value: Value) -> str | tuple[str, ...]:
    """One spelling of each way to write it: case and spaces need not be said."""
    found = {folded(text): text for text in reversed(value.spellings)}
    words = tuple(text for text in value.spellings if text in found.values())
    return words[0] if len(words) == 1 else words


def _texts(found: Sequence[Value], profile: Profile) -> Mapping[str, int]:
    return {text: profile.counts[text] for value in found for text in value.spellings}


def _classes(profile: Profile, why: str | None) -> Target:
    if profile.is_number and not all(number.is_integer() for number in profile.numbers):
        raise UsageError(
            f"label {profile.source} has numbers that are not whole{shown(profile)}: these are no "
            "classes; write them as texts at the source, or say --task regression"
        )
    found = [] if profile.is_number else values(profile.counts)
    rare = [value for value in found if why and value.num_rows < CLASS_ROWS_MIN]
    plain = [value for value in found if value not in rare]
    counts = _whole(profile) if profile.is_number else _by_name(plain)
    if not 2 <= len(counts) <= CATEGORIES_MAX:  # noqa: PLR2004
        raise UsageError(
            f"label {profile.source} has {len(counts)} values{shown(profile)}; classes are 2 to "
            f"{CATEGORIES_MAX}: group them at the source"
        )
    spellings = {text: value.name for value in plain for text in value.spellings[1:]}
    return Target(
        task="multiclass",
        label=Label(profile.source, spellings=dict(sorted(spellings.items()))),
        type="bigint" if profile.is_number else "string",
        num_labelled=sum(counts.values()),
        counts=counts,
        slips={**_texts(rare, profile), **_odd(profile)},
        guessed=why,
    )


def _by_name(found: Sequence[Value]) -> Mapping[str, int]:
    return {value.name: value.num_rows for value in sorted(found, key=lambda each: each.name)}


def _whole(profile: Profile) -> Mapping[str, int]:
    """Whole numbers in their order, as a column of them writes each: 7.0 is 7."""
    return {str(int(number)): rows for number, rows in sorted(Counter(profile.numbers).items())}


def _odd(profile: Profile) -> Mapping[str, int]:
    return {text: profile.counts[text] for text in sorted(profile.odd)}


def _number(profile: Profile, why: str | None) -> Target:
    if len(set(sane(profile.values))) < 2:  # noqa: PLR2004
        raise UsageError(
            f"label {profile.source} is no column of different numbers{shown(profile)}: nothing "
            "says how much it will be; take another column, or another --task"
        )
    found = limits(profile.values)
    if found.low is None or found.high is None:
        found = widest(profile.values)
    plausible = profile.values[~found.outside(profile.values) & (profile.values == profile.values)]
    if not len(plausible) or len(plausible) < ROWS_MIN <= len(profile.numbers):
        raise UsageError(
            f"label {profile.source} has numbers of no one size{shown(profile)}: no limits can be "
            "proposed that keep most of them; scale it at the source, such as by its logarithm"
        )
    return Target(
        task="regression",
        label=Label(profile.source),
        type="double",
        num_labelled=len(profile.numbers),
        counts={},
        limits=found,
        low=float(plausible.min()),
        high=float(plausible.max()),
        slips=_odd(profile),
        guessed=why,
    )


def _items(profile: Profile, why: str | None) -> Target:
    """Of a ranking: what was taken, a name a row."""
    return Target(
        task="ranking",
        label=Label(profile.source),
        type="string",
        num_labelled=profile.counts.total(),
        counts={},
        slips={},
        guessed=why,
    )


def _ahead(profile: Profile, why: str | None) -> Target:
    return replace(_number(profile, why), task="forecast")


_MADE: Mapping[str, Callable[[Profile, str | None], Target]] = {
    "multiclass": _classes,
    "regression": _number,
    "ranking": _items,
    "forecast": _ahead,
}


_CLASS_ROWS_MIN = 5


def refuse_few(target: Target) -> None:
    """Check that there is something to begin with.

    Raises:
        UsageError: says what there is, and how much of it is needed.
    """
    counted = ", ".join(f"{n} of {name}" for name, n in target.counts.items())
    enough = [n for n in target.counts.values() if n >= _CLASS_ROWS_MIN]
    is_poor = bool(target.counts) and len(enough) < 2  # noqa: PLR2004
    if target.num_labelled >= ROWS_MIN and not is_poor:
        return
    each = f", and {_CLASS_ROWS_MIN} of each of two values" if target.counts else ""
    raise UsageError(
        f"label {target.label.column} is known of {target.num_labelled} rows"
        f"{f' ({counted})' if counted else ''}: to learn from them and to judge by others, "
        f"{ROWS_MIN} rows{each} are needed; take more rows"
    )
