"""How a model of so much data may be trained and gated: figures from the sample, to be edited."""

from dataclasses import dataclass
from math import ceil

from pipelines.scaffold.infer import Proposal
from pipelines.scaffold.picks import LABEL_DAYS

_FEW_ROWS = 25_000
# A day of fewer rows shows only what nobody overlooks: weeks are watched.
_FEW_A_DAY = 40


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The figures of `Model`, its `Gate` and its `Watch`, of its task and its family's settings."""

    look_back_days: int
    validation_days: int
    evaluation_days: int
    num_rows_min: int
    num_class_rows_min: int
    watched_days: int
    num_watched_min: int
    num_training_rows: int
    batch_rows: int
    max_epochs: int
    warmup_steps: int
    num_rounds: int
    num_leaves: int
    min_rows: int
    min_category_rows: int


def planned(proposal: Proposal) -> Plan:
    """Evaluation on some thousand rows if a quarter of the days has them, and room for late labels.

    A decision whose label comes after its part has ended is in no part: the parts are longer than
    nine in ten labels take. Only rows with a label are learned from and judged by.
    """
    days, pace = num_days(proposal), _pace(proposal)
    evaluation, validation = pace.evaluation_days, pace.validation_days
    look_back = max(_within(days, 30, 365), 3 * (evaluation + validation))
    expected = pace.labelled_a_day * (evaluation - pace.days_ahead)
    training_days = max(0, min(days, look_back) - evaluation - validation)
    num_training_rows = int(pace.labelled_a_day * training_days)
    batch_rows, max_epochs, warmup_steps = steps(num_training_rows)
    num_rounds, num_leaves, min_rows, min_category_rows = trees(num_training_rows)
    return Plan(
        look_back_days=look_back,
        validation_days=validation,
        evaluation_days=evaluation,
        num_rows_min=_within(int(expected / 2), 50, 1000),
        num_class_rows_min=_within(int(expected * proposal.target.second_share / 2), 10, 100),
        watched_days=pace.watched_days,
        num_watched_min=_within(int(pace.asked_a_day * pace.watched_days / 2), 20, 200),
        num_training_rows=num_training_rows,
        batch_rows=batch_rows,
        max_epochs=max_epochs,
        warmup_steps=warmup_steps,
        num_rounds=num_rounds,
        num_leaves=num_leaves,
        min_rows=min_rows,
        min_category_rows=min_category_rows,
    )


@dataclass(frozen=True, kw_only=True)
class _Pace:
    """How many decisions and labels a day has, and what is held out.

    Args:
        days_ahead: after which a label is known, at the latest.
    """

    asked_a_day: float
    labelled_a_day: float
    validation_days: int
    evaluation_days: int
    watched_days: int
    days_ahead: int = 0


def _pace(proposal: Proposal) -> _Pace:
    if series := proposal.series:
        return _Pace(
            asked_a_day=series.num_series * series.horizon,
            labelled_a_day=series.num_series * series.horizon,
            validation_days=series.validation_days,
            evaluation_days=series.evaluation_days,
            # The forecasts of one midnight share its last hours.
            watched_days=7,
            days_ahead=series.days_ahead,
        )
    if picks := proposal.picks:
        return _Pace(
            asked_a_day=picks.asked_a_day,
            labelled_a_day=picks.labelled_a_day,
            validation_days=picks.validation_days,
            evaluation_days=picks.evaluation_days,
            watched_days=7,
            days_ahead=LABEL_DAYS,
        )
    return _pace_of_rows(proposal)


def _pace_of_rows(proposal: Proposal) -> _Pace:
    days, delay = num_days(proposal), proposal.label_delay_days
    a_day, labelled_a_day = proposal.num_rows / days, proposal.target.num_labelled / days
    evaluation = max(_within(ceil(2000 / labelled_a_day), 7, max(7, days // 4)), ceil(2 * delay))
    return _Pace(
        asked_a_day=a_day,
        labelled_a_day=labelled_a_day,
        validation_days=max(3, evaluation // 2, ceil(1.5 * delay)),
        evaluation_days=evaluation,
        watched_days=7 if a_day < _FEW_A_DAY else 1,
    )


def steps(num_training_rows: int) -> tuple[int, int, int]:
    """Rows of a batch, epochs, and warm-up steps: a hundred steps at least, of few rows too.

    Example:
        >>> steps(2_700), steps(200_000)
        ((256, 10, 10), (1024, 4, 78))
    """
    batch_rows = 256 if num_training_rows < _FEW_ROWS else 1024
    batches = max(1, num_training_rows // batch_rows)
    max_epochs = _within(ceil(100 / batches), 4, 20)
    return batch_rows, max_epochs, _within(batches * max_epochs // 10, 1, 100)


def trees(num_training_rows: int) -> tuple[int, int, int, int]:
    """Trees at most, leaves of a tree, rows of a leaf, and of a category: of few rows small trees.

    On made tables of 390 to 23,400 rows, of classes and of numbers, 8 leaves gave 0.001 to 0.024
    more D2 than 31, and from 2,000 rows on intervals nearer to the 80 % that they are to hold.

    Example:
        >>> trees(2_700), trees(200_000)
        ((1000, 8, 27, 5), (2000, 31, 100, 20))
    """
    is_small = num_training_rows < _FEW_ROWS
    num_rounds, num_leaves = (1000, 8) if is_small else (2000, 31)
    min_rows = _within(num_training_rows // 100, 10, 100)
    return num_rounds, num_leaves, min_rows, _within(num_training_rows // 500, 5, 20)


def num_days(proposal: Proposal) -> int:
    """From the first to the last day with rows, both counted."""
    return (proposal.last_day - proposal.first_day).days + 1


def _within(value: int, least: int, most: int) -> int:
    return max(least, min(value, most))
