"""How far columns moved, held against the formulas; and columns that hold nothing."""

import warnings
from collections import Counter
from html import escape

import numpy as np
import pyarrow as pa
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

from models.columns import Columns
from models.tasks import Binary, Multiclass, Ranking, Regression
from pipelines.learning.monitor.drift import Drift, compare
from pipelines.learning.monitor.drift import compared as answer_columns
from pipelines.learning.monitor.frames import sample
from pipelines.use_cases.spec.model import Watch

SEED = 7
HOSTILE = "</script><script>alert(1)</script>"
COLUMNS = Columns(
    numeric=(
        "steady", "moved", "same", "constant", "constant_moved", "half_null", "infinite",
        "null", "vanished", "appeared", "absent_now", "absent", "whole", "flag",
    ),
    categorical=("carrier", "origin", "vanished_text", "null_text", "absent_text", "tail"),
)  # fmt: skip
ANSWER = Columns(numeric=("probability",))
WATCH = Watch(distance_max=0.25, num_rows_max=5000)
HEADING = "toy <2026-11-20>"


def rows(rng: np.random.Generator, num_rows: int, *, current: bool) -> pa.Table:
    """Reference or current rows; what a column's name says happens between the two."""
    null = pa.nulls(num_rows, pa.float64())
    number = rng.normal(10, 3, num_rows)
    shares = (0.2, 0.5, 0.2, 0.1) if current else (0.6, 0.3, 0.1, 0.0)
    table = {
        "steady": rng.normal(0, 1, num_rows),
        "moved": rng.normal(1.0 if current else 0.0, 2, num_rows),
        "same": np.arange(num_rows) % 10,
        "constant": np.full(num_rows, 4.0),
        "constant_moved": np.full(num_rows, 4.5 if current else 4.0),
        "half_null": pa.array(number, mask=rng.random(num_rows) < (0.5 if current else 0.1)),
        "infinite": np.where(np.arange(num_rows) % 4 == 0, np.inf, number),
        "null": null,
        "vanished": null if current else number,
        "appeared": number if current else null,
        "whole": pa.array(rng.integers(0, 5, num_rows), pa.int32()),
        "flag": rng.random(num_rows) < 0.5,
        "carrier": rng.choice(["AA", "B6", HOSTILE, "new"], num_rows, p=shares),
        "origin": np.full(num_rows, "JFK"),
        "vanished_text": pa.nulls(num_rows, pa.string()) if current else np.full(num_rows, "x"),
        "null_text": pa.nulls(num_rows, pa.string()),
        "tail": pa.array(np.full(num_rows, "N1"), mask=np.arange(num_rows) % 2 < current),
        "probability": rng.beta(2, 3 if current else 5, num_rows),
    }
    if not current:
        table |= {"absent_now": number, "label": rng.random(num_rows) < 0.2}
    return pa.table(table)


@pytest.fixture(scope="module")
def tables() -> tuple[pa.Table, pa.Table]:
    print(f"seed {SEED}")
    rng = np.random.default_rng(SEED)
    return rows(rng, 1500, current=False), rows(rng, 700, current=True)


@pytest.fixture(scope="module")
def compared(tables) -> tuple[Drift, str]:
    return compare(*tables, COLUMNS, ANSWER, WATCH, HEADING)


@pytest.fixture(scope="module")
def drift(compared):
    return {each.name: each for each in (*compared[0].inputs, *compared[0].answers)}


def floats(table: pa.Table, name: str) -> np.ndarray:
    values = table[name].cast(pa.float64()).to_numpy().astype(np.float32).astype(float)
    return values[np.isfinite(values)]


@pytest.mark.parametrize(
    "name", ["steady", "moved", "half_null", "infinite", "whole", "flag", "probability"]
)
def test_a_number_moved_by_its_wasserstein_distance_in_reference_deviations(tables, drift, name):
    reference, current = (floats(table, name) for table in tables)
    expected = wasserstein_distance(reference, current) / np.std(reference)
    assert drift[name].distance == pytest.approx(expected, rel=1e-9)
    assert drift[name].distance > 0
    assert drift[name].drifted is bool(expected > 0.25 or name == "half_null")  # by its nulls


def test_a_category_moved_by_its_jensen_shannon_distance(tables, drift):
    counts = [Counter(table["carrier"].to_pylist()) for table in tables]
    names = ["AA", "B6", HOSTILE, "new"]
    shares = [np.array([count[name] for name in names]) for count in counts]
    expected = jensenshannon(*shares)
    assert drift["carrier"].distance == pytest.approx(expected, rel=1e-9)
    assert (expected > 0.25, drift["carrier"].drifted) == (True, True)


def test_a_missing_category_is_one_more_category(drift):
    half = jensenshannon([1, 0], [0.5, 0.5])
    assert drift["tail"].distance == pytest.approx(half, rel=1e-9)
    assert drift["tail"].missing_share_current == 0.5


@pytest.mark.parametrize(
    ("name", "distance", "drifted", "missing"),
    [
        ("same", 0.0, False, (0, 0)),
        ("constant", 0.0, False, (0, 0)),
        ("constant_moved", 500.0, True, (0, 0)),  # 0.5 in Evidently's least deviation, 0.001
        ("origin", 0.0, False, (0, 0)),
        ("null", None, False, (1, 1)),
        ("vanished", None, True, (0, 1)),
        ("appeared", None, True, (1, 0)),
        ("absent_now", None, True, (0, 1)),
        ("absent", None, False, (1, 1)),
        ("vanished_text", None, True, (0, 1)),
        ("null_text", None, False, (1, 1)),
        ("absent_text", None, False, (1, 1)),
    ],
)
def test_columns_that_hold_one_value_or_none(drift, name, distance, drifted, missing):
    found = drift[name]
    assert found.drifted is drifted
    assert found.distance == (distance if distance is None else pytest.approx(distance))
    assert (found.missing_share_reference, found.missing_share_current) == missing


def test_missing_shares_count_nulls_and_infinite_numbers(tables, drift):
    nulls = [table["half_null"].null_count / table.num_rows for table in tables]
    found = drift["half_null"]
    assert [found.missing_share_reference, found.missing_share_current] == pytest.approx(nulls)
    assert nulls[1] > 0.4
    assert drift["infinite"].missing_share_current == 0.25


def test_the_drifted_share_is_of_the_inputs_without_the_prediction(compared):
    found, _ = compared
    drifted = {each.name for each in found.inputs if each.drifted}
    assert drifted == {
        "moved", "constant_moved", "vanished", "appeared", "absent_now", "vanished_text",
        "carrier", "tail", "half_null",
    }  # fmt: skip
    assert found.num_drifted == 9
    assert found.drifted_share == 9 / 20
    assert [each.name for each in found.inputs] == list(COLUMNS.inputs)
    assert (found.num_reference_rows, found.num_current_rows) == (1500, 700)
    assert [each.name for each in found.answers] == ["probability"]


def test_the_page_loads_nothing_and_runs_nothing_that_is_in_the_data(compared):
    _, page = compared
    assert HOSTILE not in page
    assert "alert(1)</script" not in page
    assert escape(HOSTILE) in page
    assert escape(HEADING) in page
    for remote in ('src="http', "src='http", "<link", "url(http"):
        assert remote not in page


def test_the_page_counts_the_columns_that_evidently_can_not_compare(compared):
    _, page = compared
    assert "<p>9 of 20 inputs drifted; 700 rows beside 1,500 of the reference.</p>" in page
    for gone in ("vanished", "absent_now", "vanished_text"):
        assert f"<p>{gone}: went empty, missing 0% → 100%</p>" in page
    assert "<p>appeared: was empty, missing 100% → 0%</p>" in page
    assert "<p>half_null: missing 10% → 49%</p>" in page
    assert "which is no drift: null, absent, null_text, absent_text</p>" in page
    assert "(4 out of 12)" in page  # Evidently's count: inputs only, and of both sides


def test_evidently_leaves_no_filter_of_warnings_behind():
    before = list(warnings.filters)
    compare(toy(), toy(), Columns(numeric=("number",)), ANSWER, WATCH, HEADING)
    assert list(warnings.filters) == before


def toy(**columns: object) -> pa.Table:
    return pa.table({"probability": [0.1, 0.2, 0.3], "number": [1.0, 2.0, 3.0]} | columns)


def test_a_distance_at_the_limit_has_not_drifted():
    limit = wasserstein_distance([1, 2, 3], [2, 3, 4]) / np.std([1, 2, 3])
    usual, moved = many(1.0), many(2.0)
    columns = Columns(numeric=("number",))
    at, _ = compare(usual, moved, columns, ANSWER, Watch(distance_max=float(limit)), HEADING)
    below, _ = compare(
        usual, moved, columns, ANSWER, Watch(distance_max=float(limit) - 1e-6), HEADING
    )
    assert (at.inputs[0].drifted, below.inputs[0].drifted) == (False, True)


def many(first: float) -> pa.Table:
    """60 rows of three numbers, so that chance explains no distance of 1."""
    return pa.table(
        {"number": np.tile([first, first + 1, first + 2], 20), "probability": [0.5] * 60}
    )


def test_shares_that_differ_by_a_rounding_error_are_at_distance_zero():
    def table(first: int, num_rows: int) -> pa.Table:
        text = ["a"] * first + ["b"] * (num_rows - first)
        number = np.arange(num_rows) % 2
        return pa.table({"carrier": text, "number": number, "probability": number / 2})

    columns = Columns(numeric=("number",), categorical=("carrier",))
    found, _ = compare(table(2963, 10_000), table(2955, 9973), columns, ANSWER, Watch(), HEADING)
    assert found.inputs[1].distance == 0.0


def test_nothing_to_compare_at_all_is_said_too():
    empty = pa.table({"number": pa.nulls(6, pa.float64()), "probability": pa.nulls(6)})
    found, page = compare(many(1.0), empty, Columns(numeric=("number",)), ANSWER, WATCH, HEADING)
    assert (found.drifted_share, found.answers[0].drifted) == (1.0, True)
    assert found.answers[0].distance is None
    for name in ("number", "probability"):
        assert f"<p>{name}: went empty, missing 0% → 100%</p>" in page


def test_a_column_that_so_few_rows_lack_by_chance_has_not_drifted():
    number = pa.array([1.0, 2.0, None], pa.float64())
    now = pa.table({"number": pa.nulls(1, pa.float64()), "probability": [0.2]})
    found, _ = compare(toy(number=number), now, Columns(numeric=("number",)), ANSWER, WATCH, "")
    assert (found.inputs[0].drifted, found.inputs[0].missing_share_current) == (False, 1.0)


def test_only_so_many_rows_are_compared_and_always_the_same():
    table = pa.table({"number": np.arange(1000)})
    drawn = sample(table, 100)
    assert drawn == sample(table, 100)
    assert drawn.num_rows == 100
    assert drawn["number"].to_pylist() == sorted(set(drawn["number"].to_pylist()))
    assert drawn["number"].to_numpy().mean() == pytest.approx(499.5, abs=90)  # 3 deviations
    assert sample(table, 1000) is table
    columns, watch = Columns(numeric=("number",)), Watch(num_rows_max=2)
    found, _ = compare(toy(), toy(), columns, ANSWER, watch, HEADING)
    assert (found.num_reference_rows, found.num_current_rows) == (2, 2)


def test_the_fields_of_an_answer_that_have_a_distance_are_numbers_texts_and_flags():
    assert answer_columns(Binary().answer) == ANSWER
    assert answer_columns(Regression().answer).numeric == ("low", "prediction", "high")
    several = answer_columns(Multiclass(classes=("a", "b")).answer)
    assert (several.numeric, several.categorical) == (("probability",), ("predicted_class",))
    listed = answer_columns(Ranking().answer)
    assert listed.numeric == ("popularity", "unseen_share")
    assert listed.categorical == ("is_fallback",)


def test_a_field_that_is_text_moves_as_a_category_and_is_no_input():
    def table(share: float) -> pa.Table:
        said = np.where(np.arange(1000) < 1000 * share, "a", "b")
        return pa.table({"number": np.arange(1000) % 7, "said": said})

    answer = Columns(categorical=("said",))
    columns = Columns(numeric=("number",))
    found, _ = compare(table(0.5), table(0.9), columns, answer, WATCH, HEADING)
    assert found.answers[0].distance == pytest.approx(jensenshannon([0.5, 0.5], [0.9, 0.1]))
    assert (found.answers[0].drifted, found.num_drifted) == (True, 0)


def test_a_flag_moves_as_a_category_and_lists_are_not_compared():
    def table(num_fallback: int) -> pa.Table:
        place = np.arange(1000)
        return pa.table(
            {
                "number": place % 7,
                "history": [[float(each)] for each in place],
                "films": [[str(each)] for each in place],
                "is_fallback": place < num_fallback,
            }
        )

    columns = Columns(numeric=("number",), numeric_lists=("history",), categorical_lists=("films",))
    answer = Columns(categorical=("is_fallback",))
    found, page = compare(table(100), table(600), columns, answer, WATCH, HEADING)
    assert [each.name for each in found.inputs] == ["number"]
    assert found.drifted_share == 0
    expected = jensenshannon([0.1, 0.9], [0.6, 0.4])
    assert found.answers[0].distance == pytest.approx(expected, rel=1e-9)
    assert found.answers[0].drifted
    assert "<p>0 of 1 inputs drifted;" in page
    lists_alone = Columns(categorical_lists=("films",))
    alone, _ = compare(table(100), table(600), lists_alone, answer, WATCH, HEADING)
    assert (alone.inputs, alone.drifted_share) == ((), 0)
