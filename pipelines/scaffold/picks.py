"""Who took what and when, as a ranking needs it; and what a list of the most popular is worth."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa  # type: ignore[import-untyped]

from models.tasks import Ranking
from pipelines.core.errors import UsageError
from pipelines.scaffold.ask import Ask
from pipelines.scaffold.profile import Profile

Codes = npt.NDArray[np.int64]

_DAY_SECONDS = 86_400
# Who took something in so many days is asked about; what they take in so many is what counts.
ACTIVE_DAYS, LABEL_DAYS = 28, 7
# Nearly as many users as rows: the column names rows.
_USERS_SHARE_MAX = 0.9
_WEEKS = 4
_TRAINING_DAYS_MIN = 28
# As the case's model has it.
_TASK = Ranking()


@dataclass(frozen=True, kw_only=True)
class Picks:
    """What a ranking is of.

    Args:
        asked_a_day, labelled_a_day: users about whom a midnight asks, and who take something new.
        popular_ndcg: of the most popular items of four weeks that are new to the user, by what was
            taken in the sample's last four weeks: the floor for every other list.
        said: what the columns are, and how many of each.
    """

    asked_a_day: float
    labelled_a_day: float
    popular_ndcg: float
    said: Sequence[str]
    validation_days: int = 21
    # A label is known a week after its decision, so a week of these has none.
    evaluation_days: int = 28


@dataclass(frozen=True)
class _Takings:
    """Rows in the order of time, users and items as whole numbers from 0."""

    users: Codes
    items: Codes
    seconds: Codes

    def between(self, start: int, end: int) -> "_Takings":
        """After the start, up to the end, as a state at the end knows them."""
        kept = (self.seconds > start) & (self.seconds <= end)
        return _Takings(self.users[kept], self.items[kept], self.seconds[kept])


@dataclass(frozen=True)
class _List:
    """The most popular items for a user who took `new` ones afterwards."""

    user: int
    listed: Sequence[str]
    new: Sequence[str]


def picks(
    ask: Ask,
    profiles: Mapping[str, Profile],
    is_good: npt.NDArray[np.bool_],
    *,
    is_whole: bool,
) -> Picks | None:
    """The interactions of a sample; None: no ranking is asked for.

    Raises:
        UsageError: there are too few to learn from and to judge by, or the columns are no users.
    """
    if not ask.is_ranking:
        return None
    found = _takings(ask, profiles, is_good)
    users, items = len(np.unique(found.users)), len(np.unique(found.items))
    _refuse_columns(ask, profiles, users, items, len(found.users))
    days = int(found.seconds[-1] - found.seconds[0]) // _DAY_SECONDS + 1
    held_out = Picks.validation_days + Picks.evaluation_days
    if is_whole and days < held_out + _TRAINING_DAYS_MIN:
        raise UsageError(
            f"the rows are of {days} days; {held_out + _TRAINING_DAYS_MIN} are needed: {held_out} "
            "to stop and to judge by, the others to learn from; take more of them"
        )
    asked, lists = _popular(found)
    ndcg = _ndcg(lists)
    return Picks(
        asked_a_day=asked,
        labelled_a_day=len(lists) / _WEEKS,
        popular_ndcg=ndcg,
        said=tuple(_said(ask, users, items, ndcg)),
    )


def _takings(ask: Ask, profiles: Mapping[str, Profile], is_good: npt.NDArray[np.bool_]) -> _Takings:
    who, what = ask.named
    at = profiles[ask.known_at or ask.event_time].instants
    timed = [(place, each) for place, each in enumerate(at) if each and is_good[place]]
    places = [place for place, _ in timed]
    seconds = np.array([int(each.timestamp()) for _, each in timed], np.int64)
    order = np.argsort(seconds, kind="stable")
    codes = (
        np.unique([str(profiles[name].texts[place]) for place in places], return_inverse=True)[1]
        for name in (who, what)
    )
    user_codes, item_codes = (np.asarray(code, np.int64)[order] for code in codes)
    return _Takings(user_codes, item_codes, seconds[order])


def _refuse_columns(
    ask: Ask, profiles: Mapping[str, Profile], users: int, items: int, rows: int
) -> None:
    who, what = ask.named
    if users > _USERS_SHARE_MAX * rows:
        raise UsageError(
            f"{who} has {users:,} values in {rows:,} rows: nearly every row is of another user, so "
            "nothing says what one of them takes next; name the user first in --key"
        )
    if items <= _TASK.k:
        raise UsageError(
            f"{what} has {items} values: a list of {_TASK.k} would have all of them; name the "
            "item second in --key"
        )
    if ask.label and not profiles[ask.label].is_number:
        raise UsageError(
            f"--label {ask.label}: beside who and what a ranking knows a number, such as stars; "
            "leave it out, or take another column"
        )


def _popular(found: _Takings) -> tuple[float, Sequence[_List]]:
    """How many users a midnight asks about, and lists of the most popular items for them.

    Raises:
        UsageError: too few of them took anything new.
    """
    last = int(found.seconds[-1]) // _DAY_SECONDS * _DAY_SECONDS
    midnights = [last - week * LABEL_DAYS * _DAY_SECONDS for week in range(1, _WEEKS + 1)]
    asked, rows = list[int](), list[_List]()
    for midnight in midnights:
        num_active, lists = _lists(found, midnight)
        asked.append(num_active)
        rows += lists
    judged = len({each.user for each in rows})
    if judged < _TASK.num_units_min:
        raise UsageError(
            f"in the last {_WEEKS} weeks {judged} users took something new within "
            f"{LABEL_DAYS} days of a midnight that asks about them; {_TASK.num_units_min} are "
            "needed to judge a ranking: take more rows"
        )
    return float(np.mean(asked)), rows


def _lists(found: _Takings, midnight: int) -> tuple[int, Sequence[_List]]:
    """The number of users active then, and the lists of those who took something new."""
    before = found.between(0, midnight)
    lately = found.between(midnight - ACTIVE_DAYS * _DAY_SECONDS, midnight)
    after = found.between(midnight, midnight + LABEL_DAYS * _DAY_SECONDS)
    items, counts = np.unique(lately.items, return_counts=True)
    popular = items[np.argsort(-counts, kind="stable")]
    active = np.unique(lately.users)
    lists = []
    for user in np.intersect1d(active, after.users):
        known = before.items[before.users == user]
        new = np.setdiff1d(after.items[after.users == user], known)
        listed = popular[~np.isin(popular, known)][: _TASK.k]
        if len(new):
            lists.append(_List(int(user), list(map(str, listed)), list(map(str, new))))
    return len(active), lists


def _ndcg(lists: Sequence[_List]) -> float:
    listed = [each.listed for each in lists]
    scores = [list(range(len(each), 0, -1)) for each in listed]
    plain = {"popularity": 1.0, "unseen_share": 0.0, "is_fallback": True}
    beside = {name: [value] * len(lists) for name, value in plain.items()}
    answer = pa.table({_TASK.items: listed, "scores": scores, **beside}, schema=_TASK.answer)
    rows = pa.table({"new": pa.array([each.new for each in lists], _TASK.label)})
    unit = np.unique([each.user for each in lists], return_inverse=True)[1]
    return _TASK.metric().value(_TASK.evidence("new", rows, answer, unit)) or 0.0


def _said(ask: Ask, users: int, items: int, ndcg: float) -> Iterator[str]:
    who, what = ask.named
    yield (
        f"{who} is who takes something, one of {users:,}; {what} is what they take, one of "
        f"{items:,}. If it is the other way round, say --key {what},{who}"
    )
    yield (
        f"asked is at each midnight UTC, for who took anything in {ACTIVE_DAYS} days, what they "
        f"take in the next {LABEL_DAYS} that is new to them"
    )
    yield (
        f"the most popular items of {ACTIVE_DAYS} days reach an nDCG of {ndcg:.3f} in the sample's "
        f"last {_WEEKS} weeks: the gate asks for more"
    )
