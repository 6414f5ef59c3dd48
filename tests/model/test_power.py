"""What one input tells alone, against the measures that each task has by another way."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from models import power
from models.power import POWER
from models.tasks import Binary, Multiclass, Regression
from models.tasks.bootstrap import Bootstrap

SEED = 20261127
ROWS, DAYS = 3000, 15
CLASSES = ("high", "low", "mid")


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    print(f"seed {SEED}")
    dice = np.random.default_rng(SEED)
    x = dice.normal(size=ROWS)
    much = x + dice.normal(size=ROWS)
    kind = np.select([much < -0.5, much < 1], ["low", "mid"], "high")
    table = {
        "x": x,
        "turned": np.abs(x),
        "gaps": pa.array(x, mask=dice.random(ROWS) < 0.3),
        "yes": much > 1,
        "far": np.abs(x) > 1,
        "much": much,
        "kind": kind,
        "copy": np.exp(much),
        "falling": -(much**3),
        "text": np.where(much > 1, "a", np.where(much > 0, "b", "c")),
        "id": [f"id{number}" for number in range(ROWS)],
        "place": dice.choice(["p", "q", "r"], ROWS),
        "number": np.arange(ROWS) % 997,
        "one": np.ones(ROWS),
        "none": pa.nulls(ROWS, pa.float64()),
        "day": dice.integers(0, DAYS, ROWS),
    }
    return pa.table(table)


TASKS = {
    "yes": Binary(),
    "far": Binary(),
    "much": Regression(),
    "kind": Multiclass(classes=CLASSES),
}


def told(rows: pa.Table, label: str, name: str) -> float | None:
    is_number = not pa.types.is_string(rows.schema.field(name).type)
    found = power.of_input(TASKS[label], rows, label, name, is_number=is_number)
    return POWER.value(found)


def test_of_yes_or_no_it_is_what_the_roc_auc_says(rows: pa.Table) -> None:
    auc = roc_auc_score(rows["yes"].to_numpy(), rows["x"].to_numpy())
    # The better of the value itself and of its groups.
    assert told(rows, "yes", "x") == pytest.approx(2 * auc - 1, abs=0.01)
    found = power.of_input(Binary(), rows, "yes", "text", is_number=False)
    exact = 2 * roc_auc_score(found.label_B, found.answer_BO[:, 0]) - 1
    assert POWER.value(found) == pytest.approx(exact, abs=1e-12)


def test_of_numbers_it_is_the_correlation_of_their_ranks(rows: pa.Table) -> None:
    ranks = [np.argsort(np.argsort(rows[name].to_numpy())) for name in ("much", "x")]
    assert told(rows, "much", "x") == pytest.approx(np.corrcoef(ranks)[0, 1], abs=0.01)


@pytest.mark.parametrize("label", ["yes", "much", "kind"])
@pytest.mark.parametrize("name", ["copy", "falling", "text"])
def test_what_decides_the_label_is_near_one(rows: pa.Table, label: str, name: str) -> None:
    found = told(rows, label, name)
    if label == name == "text" or (label, name) in {("much", "text"), ("kind", "text")}:
        assert found is not None
        assert 0.75 < found < 1  # three texts for many values
    elif label == "kind":
        assert found == pytest.approx(1, abs=0.03)  # in groups of a hundred rows
    else:
        assert found == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("label", ["yes", "much", "kind"])
@pytest.mark.parametrize("name", ["id", "place", "number", "one", "none"])
def test_what_has_nothing_to_say_is_near_zero(rows: pa.Table, label: str, name: str) -> None:
    assert told(rows, label, name) == pytest.approx(0, abs=0.07)
    if name in ("id", "one", "none"):
        assert told(rows, label, name) == pytest.approx(0, abs=1e-9)


def test_a_relation_that_turns_is_found(rows: pa.Table) -> None:
    assert told(rows, "far", "x") == pytest.approx(1, abs=0.03)
    assert told(rows, "far", "turned") == pytest.approx(1, abs=1e-9)
    missing = told(rows, "yes", "gaps")
    assert missing is not None
    assert 0.3 < missing < (told(rows, "yes", "x") or 0)


def test_its_interval_is_of_days_and_holds_it(rows: pa.Table) -> None:
    found = power.of_input(Binary(), rows, "yes", "x", is_number=True)
    interval = Bootstrap().interval(POWER, found)
    assert interval is not None
    assert found.num_units == DAYS
    assert interval.low < interval.estimate < interval.high
    # That of the ROC AUC itself, which counts the pairs of each draw.
    exact = Bootstrap().interval(Binary().metric("roc_auc"), found)
    assert exact is not None
    for mine, theirs in ((interval.low, exact.low), (interval.high, exact.high)):
        assert mine == pytest.approx(2 * theirs - 1, abs=0.005)


def test_of_one_outcome_or_one_day_nothing_is_said(rows: pa.Table) -> None:
    late = rows.filter(rows["yes"])
    assert told(late, "yes", "x") is None
    one = rows.filter(pa.compute.equal(rows["day"], 3))
    found = power.of_input(Binary(), one, "yes", "x", is_number=True)
    assert Bootstrap().interval(POWER, found) is None
