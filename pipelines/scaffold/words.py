"""How the values of a label are spelled: what is one value, what says yes or no, what is a slip.

Texts that differ by case or by spaces around them alone are one value, and so are `1` and `1.0`.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipelines.data.extract.labels import folded

# In the languages of Europe, and of tools. A single letter only where it says nothing else: N and S
# may be north and south.
_YES = """
    1 true t yes y on wahr ja j vrai oui verdadero sí si sim vero da да tak ano evet kyllä igen
"""
_NO = """
    0 false f no n off falsch nein faux non falso não nao nee nej nei nu net нет nie ne hayir ei nem
"""
YES, NO = frozenset(_YES.split()), frozenset(_NO.split())
# A value of fewer rows than this share, all such values together, is a slip of somebody's hand; so
# is one of a single row.
SLIPS_MAX = 0.01
# Each of two values that remain is so many times as frequent as all slips.
_TIMES_MIN = 10


@dataclass(frozen=True)
class Value:
    """One value of a label: its spellings, the most frequent first, and its rows in the sample."""

    spellings: tuple[str, ...]
    num_rows: int

    @property
    def name(self) -> str:
        """As it is most often spelled."""
        return self.spellings[0]


def values(counts: Mapping[str, int]) -> Sequence[Value]:
    """The values of a label, the most frequent first.

    Example:
        >>> [value.spellings for value in values({"Red": 9, "red ": 1, "Blue": 4})]
        [('Red', 'red '), ('Blue',)]
    """
    return _grouped(counts, {text: folded(text) for text in counts})


def _grouped(counts: Mapping[str, int], of: Mapping[str, str]) -> Sequence[Value]:
    """The values that the texts are of."""
    spellings = defaultdict[str, list[str]](list)
    for text in sorted(counts, key=lambda each: (-counts[each], each)):
        spellings[of[text]].append(text)
    found = [Value(tuple(texts), sum(counts[t] for t in texts)) for texts in spellings.values()]
    return sorted(found, key=lambda value: (-value.num_rows, value.name))


@dataclass(frozen=True)
class Pair:
    """The two values of a yes or no, and the slips beside them."""

    yes: Value
    no: Value
    slips: Sequence[Value] = ()


def plain_pair(counts: Mapping[str, int]) -> Pair | None:
    """Yes and no in plain words, however spelled; None: the values are something else.

    Example:
        >>> pair = plain_pair({"Yes": 60, "y": 9, "no": 400, "N": 30, "l": 1})
        >>> pair.yes.spellings, pair.no.spellings, pair.slips[0].name
        (('Yes', 'y'), ('no', 'N'), 'l')
    """
    sides = {text: _side(folded(text)) for text in counts}
    found = {side: n for side, n in _by_side(counts, sides).items() if side}
    if set(found) != {"yes", "no"}:
        return None
    yes, no = (
        _grouped({text: n for text, n in counts.items() if sides[text] == side}, sides)[0]
        for side in ("yes", "no")
    )
    slips = values({text: n for text, n in counts.items() if not sides[text]})
    return Pair(yes, no, slips) if are_slips(slips, (yes, no)) else None


def _side(word: str) -> str:
    return "yes" if word in YES else "no" if word in NO else ""


def _by_side(counts: Mapping[str, int], sides: Mapping[str, str]) -> Mapping[str, int]:
    found = Counter[str]()
    for text, rows in counts.items():
        found[sides[text]] += rows
    return found


def said_pair(counts: Mapping[str, int], positive: str) -> Pair | None:
    """The value that was said to be true, and the only other one, slips aside."""
    found = values(counts)
    yes = next((value for value in found if positive in value.spellings), None)
    yes = yes or next((value for value in found if folded(positive) == folded(value.name)), None)
    others = [value for value in found if value is not yes]
    if yes is None or not others or not are_slips(others[1:], (yes, others[0])):
        return None
    return Pair(yes, others[0], others[1:])


def are_slips(rare: Sequence[Value], plain: Sequence[Value]) -> bool:
    """Whether so few rows have the rare values that they can't be values of their own."""
    slips = sum(value.num_rows for value in rare)
    total = slips + sum(value.num_rows for value in plain)
    least = min(value.num_rows for value in plain)
    return slips <= max(1, SLIPS_MAX * total) and least >= _TIMES_MIN * slips
