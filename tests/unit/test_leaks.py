"""What looks like knowledge of the future in a training set, and what does not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models.columns import Columns
from models.spec import ModelSpec
from models.tasks import Binary, Multiclass, Regression, Task
from models.trees.settings import Trees
from pipelines.core import journal
from pipelines.core.outcomes import Audited, Deciding, Fading, Moved, Outcome, Power
from pipelines.core.registry import LEAKS
from pipelines.learning.leaks import older
from pipelines.learning.leaks.alone import Asked
from pipelines.learning.leaks.older import Older
from pipelines.use_cases.spec.use_case import EntityState

SEED = 20261127
ROWS, DAYS = 4000, 20
START = datetime(2026, 3, 1, tzinfo=UTC)
TASKS: dict[str, Task] = {
    "late": Binary(),
    "minutes": Regression(),
    "kind": Multiclass(classes=("early", "late", "on time")),
}


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    """Labels that follow a queue: each row with the queue now, a step ago, and its label."""
    print(f"seed {SEED}")
    dice = np.random.default_rng(SEED)
    before = dice.normal(size=ROWS)
    queue = 0.6 * before + 0.8 * dice.normal(size=ROWS)
    minutes = 1.2 * queue + dice.normal(size=ROWS)
    kind = np.select([minutes < -1, minutes < 1], ["early", "on time"], "late")
    return {
        "minutes": minutes,
        "late": minutes > 1,
        "kind": kind,
        "queue": (queue, before),
        # The state of the instant has the outcome in it; that of a step ago another row's.
        "outcome": (minutes + 0.6 * dice.normal(size=ROWS), dice.permutation(minutes)),
        "weak": (queue + 6 * dice.normal(size=ROWS), dice.normal(size=ROWS)),
        "day": np.sort(dice.integers(0, DAYS, ROWS)),
    }


def asked(made: dict[str, Any], label: str, has_one: Any = None, **more: Any) -> Asked:
    """A training set of three inputs from a state, and more from the decision."""
    states = ("queue", "outcome", "weak")
    now = {f"states__{name}": made[name][0] for name in states}
    then = {f"states__{name}": made[name][1] for name in states}
    texts = tuple(name for name in more if isinstance(more[name][0], str))
    numeric = (*now, *(name for name in more if name not in texts))
    spec = ModelSpec(
        columns=Columns(numeric=numeric, categorical=texts), task=TASKS[label], settings=Trees()
    )
    rows = pa.table({**now, **more, label: made[label], "day": made["day"]})
    there = np.ones(ROWS, bool) if has_one is None else has_one
    before = Older(pa.table({**then, **more}), {"states": there}, set(more))
    return Asked(spec=spec, label=label, rows=rows, older=before)


@pytest.mark.parametrize("label", TASKS)
def test_an_input_that_holds_the_outcome_of_its_instant_is_found(made: Any, label: str) -> None:
    (found,) = asked(made, label).found()
    assert isinstance(found, Fading)
    assert found.input == "states__outcome"
    assert found.joined.low > 0.7
    assert found.older.high < 0.15
    assert found.num_rows == ROWS


def test_without_an_older_state_nothing_is_lost(made: Any) -> None:
    few = np.arange(ROWS) < 100
    assert list(asked(made, "late", has_one=few).found()) == []
    half = np.arange(ROWS) % 2 == 0
    (found,) = asked(made, "late", has_one=half).found()
    assert found.num_rows == ROWS // 2


@pytest.mark.parametrize("label", ["late", "minutes"])
@pytest.mark.parametrize("planted", ["copy", "rising", "falling"])
def test_a_copy_of_the_label_and_what_moves_with_it_are_found(
    made: Any, label: str, planted: str
) -> None:
    value = made[label].astype(float)
    moves = {"copy": value, "rising": np.exp(value / 2), "falling": 3 - value**3}
    deciding = [f for f in asked(made, label, planted=moves[planted]).found() if f_is(f)]
    assert [each.input for each in deciding] == ["planted"]
    assert deciding[0].power.low == pytest.approx(1, abs=1e-6)


def f_is(found: Any) -> bool:
    return isinstance(found, Deciding)


@pytest.mark.parametrize("label", ["late", "kind"])
def test_a_category_that_decides_is_found(made: Any, label: str) -> None:
    dice = np.random.default_rng(SEED)
    said = np.array([f"{value}{number}" for value, number in zip(
        made[label], dice.integers(0, 5, ROWS), strict=True
    )])  # fmt: skip
    # One row in two hundred says nothing.
    said[::200] = "unknown"
    deciding = [f for f in asked(made, label, planted=said).found() if f_is(f)]
    assert [each.input for each in deciding] == ["planted"]


@pytest.mark.parametrize("label", TASKS)
def test_an_honest_input_is_not_accused(made: Any, label: str) -> None:
    """Strong ones, ids and constants."""
    dice = np.random.default_rng(SEED)
    harmless = {
        "strong": made["minutes"] + 0.8 * dice.normal(size=ROWS),
        "constant": np.ones(ROWS),
        "number": np.arange(ROWS, dtype=float),
        "id": np.array([f"id {number}" for number in range(ROWS)]),
        "city": dice.choice(["a", "b", "c"], ROWS),
    }
    found = [each.input for each in asked(made, label, **harmless).found()]
    assert found == ["states__outcome"]


GRID = EntityState(name="grid", keys=("place",), step_minutes=60, ttl_minutes=120)
EVENTS = EntityState(name="events", keys=("place", "kind"), step_minutes=None, ttl_minutes=600)


def at(*hours: float) -> pa.Array:
    instants = [START + timedelta(hours=hour) for hour in hours]
    return pa.array(instants, pa.timestamp("us", "UTC"))


def test_the_state_before_on_a_grid() -> None:
    states = pa.table({"place": ["b", "a", "a", "a", "b"], "known_at": at(5, 3, 1, 2, 4)})
    states = states.append_column("value", pa.array([50, 30, 10, 20, 40]))
    rows = pa.table(
        {"place": ["a", "a", "a", "b", "b", "a", "c"], "known_at": at(3, 3.5, 2, 5, 4, 9, 3)}
    )
    rows = rows.append_column("grid__value", pa.array([30, 30, 20, 50, 40, None, None]))
    shifted, has_one = older.shifted(rows, states, GRID)
    # The fifth has no state before its own; the sixth's is too old, the last has none at all.
    assert shifted["grid__value"].to_pylist() == [20, 20, 10, 40, None, None, None]
    assert has_one.tolist() == [True, True, True, True, False, True, True]
    assert shifted.column_names == rows.column_names


def test_the_state_before_at_events() -> None:
    states = pa.table(
        {
            "place": ["a"] * 4,
            "kind": [1, 1, 2, 1],
            "known_at": at(1, 1.1, 1.2, 7),
            "value": [1, 2, 3, 4],
        }
    )
    rows = pa.table({"place": ["a"] * 3, "kind": [1, 2, 1], "known_at": at(7, 7, 6.9)})
    rows = rows.append_column("events__value", pa.array([4, 3, 2]))
    shifted, has_one = older.shifted(rows, states, EVENTS)
    assert shifted["events__value"].to_pylist() == [2, None, 1]
    assert has_one.tolist() == [True, False, True]


def test_the_state_before_that_of_an_hour_and_a_quarter_ago() -> None:
    """As a model that answers online is asked: its states are so old."""
    states = pa.table({"place": ["a"] * 4, "known_at": at(1, 2, 3, 4), "value": [1, 2, 3, 4]})
    rows = pa.table({"place": ["a"] * 2, "known_at": at(4.25, 4.2)})
    rows = rows.append_column("grid__value", pa.array([3, 2]))
    shifted, has_one = older.shifted(rows, states, GRID, timedelta(minutes=75))
    assert shifted["grid__value"].to_pylist() == [2, 1]
    assert has_one.tolist() == [True, True]


def test_no_state_at_all() -> None:
    states = pa.table(
        {"place": pa.array([], pa.string()), "known_at": at(), "value": pa.array([], pa.int64())}
    )
    rows = pa.table(
        {"place": ["a"], "known_at": at(1), "grid__value": pa.array([None], pa.int64())}
    )
    shifted, has_one = older.shifted(rows, states, GRID)
    assert (shifted["grid__value"].to_pylist(), has_one.tolist()) == ([None], [True])


SOME = Power(estimate=0.5, low=0.4, high=0.6)
AUDITED = Audited(
    moved=(
        Moved(
            table="gold.loans_states",
            column="rate_7d",
            num_rows=3,
            num_compared=1200,
            cut=START,
            entity="place a",
            at=START,
            published="0.5",
            rebuilt="null",
        ),
    ),
    fading=(Fading(input="states__x", joined=SOME, older=SOME, num_rows=2000),),
    deciding=(Deciding(input="y", power=SOME, num_rows=2000),),
    cuts=(START,),
    num_inputs=7,
    code="a",
)


def test_the_findings_are_one_value_that_the_journal_gives_back() -> None:
    kept = journal.plain(Outcome(details=AUDITED, rows={"compared": 1200}))
    found = journal.parsed(LEAKS, kept).details
    assert found.findings == AUDITED.findings
    assert journal.plain(Outcome(details=found, rows={"compared": 1200})) == kept


def test_the_findings_in_words() -> None:
    summary, moved, fading, deciding, way_out = str(AUDITED).splitlines()
    assert summary == "3 findings in tables as known at 1 instants, 7 inputs alone"
    assert moved == (
        "gold.loans_states.rate_7d differs in 3 of 1,200 rows built from what was known then "
        "alone: of place a at 2026-03-01 00:00:00 published is 0.5, known before "
        "2026-03-01 00:00:00 was null"
    )
    assert fading.startswith("states__x tells 0.500 (0.400 to 0.600) of the label, and 0.500")
    assert deciding == "y alone tells 0.500 (0.400 to 0.600) of the label, of 2,000 rows"
    assert "runbook" in way_out
    assert str(Audited(unsaid=("why",))).endswith("; why")
