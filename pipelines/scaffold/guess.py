"""What a label's values say of its task, where nobody said it; what is of none is refused.

Two values are a yes or no, a few texts or whole numbers are classes, other numbers are how much.
A ranking and a forecast are said, never guessed: they ask for a table of another kind.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from itertools import pairwise
from typing import Any, Literal, TypeAlias, get_args

from pipelines.core.errors import UsageError
from pipelines.data.reading.missing import missing_words
from pipelines.scaffold.profile import Profile
from pipelines.scaffold.words import Value, are_slips, values

# Those of models/tasks, of which nothing is imported here: it needs numpy and more.
Guessed: TypeAlias = Literal["binary", "multiclass", "regression"]
TaskName: TypeAlias = Literal[Guessed, "ranking", "forecast"]
GUESSED: Sequence[Guessed] = get_args(Guessed)
TASKS: Sequence[TaskName] = (*GUESSED, "ranking", "forecast")

# So many values are guessed to be classes, each in so many rows of the sample. More are rather
# names or a count, and a rarer one is missing from some nights' rows: those refuse their training.
CLASSES_MAX = 20
CLASS_ROWS_MIN = 10


def guessed(profile: Profile) -> tuple[Guessed, str]:
    """A task, and what of the values it was guessed from.

    Raises:
        UsageError: the values are of no task that can be guessed; says what they look like.
    """
    found: Collection[Any] = set(profile.numbers) if profile.is_number else _frequent(profile)
    if len(found) < 2:  # noqa: PLR2004
        raise UsageError(_nothing_to_predict(profile))
    if len(found) == 2 or profile.type == "boolean":  # noqa: PLR2004
        return "binary", "it has two values"
    if profile.type in ("date", "timestamp"):
        raise UsageError(
            f"label {profile.source} holds instants{shown(profile)}: make a number of it at the "
            "source, such as the days until then, or a yes or no"
        )
    return _of_numbers(profile) if profile.is_number else _of_texts(profile)


def _of_numbers(profile: Profile) -> tuple[Guessed, str]:
    """Few whole numbers that come often are classes, such as stars; others say how much."""
    found = Counter(profile.numbers)
    are_few = len(found) <= CLASSES_MAX and min(found.values()) >= CLASS_ROWS_MIN
    if are_few and all(number.is_integer() for number in found):
        return "multiclass", f"it has {len(found)} whole numbers, {_often(found.values())}"
    if _is_counter(profile.numbers):
        raise UsageError(
            f"label {profile.source} is another whole number in each row, in their order"
            f"{shown(profile)}: it names the rows; take another column, or say --task regression"
        )
    return "regression", f"it has {len(found)} different numbers"


def _of_texts(profile: Profile) -> tuple[Guessed, str]:
    counts, name = profile.counts, f"label {profile.source}"
    if missing := sorted(missing_words(counts)):
        raise UsageError(
            f"{name} has the value {missing[0]!r} among others{shown(profile)}: if it means not "
            "known yet, leave it empty at the source; if it is a class, say --task multiclass"
        )
    if len(values(counts)) > CLASSES_MAX:
        kind = "names the rows" if len(counts) == counts.total() else "is no class"
        raise UsageError(
            f"{name} has {len(counts)} values{shown(profile)}: it {kind}, of which {CLASSES_MAX} "
            "at most are guessed; group them at the source, or say --task multiclass"
        )
    found = _frequent(profile)
    if found[-1].num_rows < CLASS_ROWS_MIN:
        raise UsageError(
            f"{name} has the value {found[-1].name!r} in {found[-1].num_rows} rows, a class is "
            f"guessed from {CLASS_ROWS_MIN}: leave it empty or group it at the source, or say "
            "--task multiclass"
        )
    return "multiclass", f"it has {len(found)} values, {_often([v.num_rows for v in found])}"


def _frequent(profile: Profile) -> Sequence[Value]:
    """The values without those that are slips, the most frequent first."""
    found = values(profile.counts)
    plain = [value for value in found if value.num_rows >= CLASS_ROWS_MIN]
    return plain if plain and are_slips(found[len(plain) :], plain) else found


def _nothing_to_predict(profile: Profile) -> str:
    rows, empty = profile.counts.total(), profile.num_missing
    hint = (
        f"; if empty, as in {empty} rows, is the other value, write it out at the source"
        if empty
        else ""
    )
    return (
        f"label {profile.source} has {_number(profile)}{shown(profile)} in {rows} rows that have "
        f"any: there is nothing to predict; take rows of another value, too, or another "
        f"column{hint}"
    )


def _number(profile: Profile) -> str:
    number = len(profile.counts)
    return "1 value" if number == 1 else f"{number} values"


def _often(rows: Iterable[int]) -> str:
    return f"each in {min(rows)} rows or more"


def _is_counter(numbers: Sequence[float]) -> bool:
    """Whether each row has a further whole number, as identities count up."""
    if not all(number.is_integer() for number in numbers):
        return False
    pairs = list(pairwise(numbers))
    return all(a < b for a, b in pairs) or all(a > b for a, b in pairs)


def shown(profile: Profile) -> str:
    """The first values, in brackets."""
    values = sorted(profile.counts)
    return f" ({', '.join(map(repr, values[:5]))}{', ...' if len(values) > 5 else ''})"  # noqa: PLR2004
