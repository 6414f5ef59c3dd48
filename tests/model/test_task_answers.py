"""What is no answer of a task, and what is no label of it, is refused with its row."""

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models import tasks
from models.errors import DataRefused
from models.tasks import Binary, Multiclass, Regression, Task

CLASSES = ("low", "mid", "high")
MULTICLASS = Multiclass(classes=CLASSES)
TASKS: tuple[Task, ...] = (Binary(), MULTICLASS, Regression())
GOOD: dict[str, dict[str, list[Any]]] = {
    "binary": {"probability": [0.0, 0.5, 1.0]},
    "multiclass": {
        "predicted_class": ["low", "high", "mid"],
        "probability": [0.5, 0.75, 1.0],
        "probabilities": [
            [("low", 0.5), ("mid", 0.25), ("high", 0.25)],
            [("low", 0.0), ("mid", 0.25), ("high", 0.75)],
            [("low", 0.0), ("mid", 1.0), ("high", 0.0)],
        ],
    },
    "regression": {
        "low": [-1.0, 0.0, 5.0],
        "prediction": [0.0, 0.0, 6.0],
        "high": [1.0, 0.0, 1e30],
    },
}


def answers(task: Task, field: str = "", row: int = 1, value: Any = None) -> pa.Table:
    """Three good answers, of which one value is another."""
    columns = {name: list(values) for name, values in GOOD[task.name].items()}
    if field:
        columns[field][row] = value
    return pa.table(
        [pa.array(columns[each.name], each.type) for each in task.answer], schema=task.answer
    )


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_good_answers_pass_as_they_are(task: Task) -> None:
    good = answers(task)
    assert task.checked(good) is good
    assert task.answered(task.outputs(good)).equals(good)
    nothing = good.slice(0, 0)
    assert task.checked(nothing) is nothing
    assert task.outputs(nothing).shape == (0, task.num_outputs)
    assert task.answered(task.outputs(nothing)).equals(nothing)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_numbers_become_answers_and_back(task: Task) -> None:
    numbers = np.random.default_rng(3).dirichlet(np.ones(task.num_outputs + 1), 50)
    numbers = np.sort(numbers[:, : task.num_outputs], 1)
    if task is MULTICLASS:
        numbers /= numbers.sum(1, keepdims=True)
    answer = task.checked(task.answered(numbers))
    np.testing.assert_allclose(task.outputs(answer), numbers, rtol=1e-6)
    # Parts of tables, and tables of parts, are the same rows.
    np.testing.assert_array_equal(task.outputs(answer.slice(7, 9)), task.outputs(answer)[7:16])
    parts = pa.concat_tables([answer.slice(0, 20), answer.slice(20)])
    np.testing.assert_array_equal(task.outputs(parts), task.outputs(answer))


def test_the_most_probable_class_is_named() -> None:
    said = np.array([[0.2, 0.3, 0.5], [0.4, 0.4, 0.2]])
    answer = MULTICLASS.answered(said)
    assert answer["predicted_class"].to_pylist() == ["high", "low"]
    np.testing.assert_allclose(answer["probability"].to_numpy(), [0.5, 0.4], rtol=1e-6)
    assert [key for key, _ in answer["probabilities"][0].as_py()] == list(CLASSES)


def shares(*values: float | None, names: tuple[str, ...] = CLASSES) -> list[tuple[str, Any]]:
    return list(zip(names, values, strict=True))


@pytest.mark.parametrize(
    ("task", "field", "value", "says"),
    [
        (Binary(), "probability", None, "row 1 is None, not the probability of yes from 0 to 1"),
        (Binary(), "probability", math.nan, "probability: the answer to row 1 is nan"),
        (Binary(), "probability", -1e-6, "the answer to row 1 is -"),
        (Binary(), "probability", 1.001, r"the answer to row 1 is 1\.00"),
        (Binary(), "probability", math.inf, "the answer to row 1 is inf"),
        (MULTICLASS, "predicted_class", None, "predicted_class: the answer to row 1 is None"),
        (MULTICLASS, "predicted_class", "never", "row 1 .* is not the most probable"),
        (MULTICLASS, "predicted_class", "low", "row 1 .* is not the most probable"),
        (MULTICLASS, "probability", math.nan, "probability: the answer to row 1 is nan"),
        (MULTICLASS, "probability", 1.5, r"the answer to row 1 is 1\.5"),
        (MULTICLASS, "probability", 0.5, "row 1 .* is not the most probable"),
        (MULTICLASS, "probabilities", None, "probabilities: the answer to row 1 is None"),
        (MULTICLASS, "probabilities", shares(0.3, 0.3, 0.3), "row 1 is .* not shares that are 1"),
        (MULTICLASS, "probabilities", shares(0.5, -0.25, 0.75), "row 1 is .* not shares that"),
        (MULTICLASS, "probabilities", shares(0.5, None, 0.5), "row 1 is .* not shares that"),
        (MULTICLASS, "probabilities", shares(0.5, math.nan, 0.5), "row 1 is .* not shares that"),
        (
            MULTICLASS,
            "probabilities",
            shares(0.5, 0.25, 0.25, names=("low", "mid", "never")),
            "the answers are not about low, mid, high in this order",
        ),
        (
            MULTICLASS,
            "probabilities",
            shares(0.5, 0.25, 0.25, names=("mid", "low", "high")),
            "the answers are not about low, mid, high in this order",
        ),
        (
            MULTICLASS,
            "probabilities",
            shares(0.5, 0.5, names=("low", "mid")),
            "the answers are not about low, mid, high in this order",
        ),
        (Regression(), "prediction", None, "prediction: the answer to row 1 is None, not the med"),
        (Regression(), "low", math.nan, "low: the answer to row 1 is nan"),
        (Regression(), "high", math.inf, "high: the answer to row 1 is inf"),
        (
            Regression(),
            "low",
            0.5,
            "low: .* row 1 is 0.5, not the lower end .*80%, at most prediction",
        ),
        (Regression(), "high", -0.5, "prediction: the answer to row 1 is 0.0, not the median"),
    ],
)
def test_what_is_no_answer_is_refused_with_its_row(
    task: Task, field: str, value: Any, says: str
) -> None:
    with pytest.raises(DataRefused, match=says):
        task.checked(answers(task, field, 1, value))


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_other_fields_or_types_are_no_answer(task: Task) -> None:
    good = answers(task)
    name = good.column_names[0]
    wrongs = (
        good.drop_columns([name]) if good.num_columns > 1 else good.append_column("x", [[1, 2, 3]]),
        good.append_column("why", [["a", "b", "c"]]),
        good.rename_columns(["other", *good.column_names[1:]]),
        good.set_column(0, name, good[name].cast(pa.large_string()))
        if task is MULTICLASS
        else good.set_column(0, name, good[name].cast(pa.float64())),
    )
    for wrong in wrongs:
        with pytest.raises(DataRefused, match=f"{task.name}: the answer is .*, not "):
            task.checked(wrong)


@pytest.mark.parametrize(
    ("task", "label", "expected"),
    [
        (Binary(), [True, False], [1.0, 0.0]),
        (Binary(), [0, 1], [0.0, 1.0]),
        (MULTICLASS, ["high", "low"], [2.0, 0.0]),
        (MULTICLASS, pa.array(["mid", "low"]).dictionary_encode(), [1.0, 0.0]),
        (Multiclass(classes=("1", "2")), [2, 1], [1.0, 0.0]),
        (Regression(), [1, -2], [1.0, -2.0]),
        (Regression(), [1.5, 1e300], [1.5, 1e300]),
        (Regression(), [Decimal("1.25")], [1.25]),
    ],
)
def test_labels_as_numbers(task: Task, label: Any, expected: list[float]) -> None:
    found = task.encode("label", pa.chunked_array([pa.array(label)]))
    assert found.dtype == np.float64
    assert found.tolist() == expected


@pytest.mark.parametrize(
    ("task", "label", "says"),
    [
        (Binary(), [True, None], r"labels are neither 0 nor 1, the first in row 1 \(None\)"),
        (Binary(), [1.0, 0.5], r"neither 0 nor 1, the first in row 1 \(0.5\)"),
        (Binary(), [1.0, math.nan], "neither 0 nor 1, the first in row 1"),
        (Binary(), ["yes", "no"], "label: string is not a number"),
        (MULTICLASS, ["low", None], r"1 of 2 labels are none of .*, the first in row 1 \(None\)"),
        (MULTICLASS, ["low", "never"], r"the first in row 1 \('never'\)"),
        (MULTICLASS, ["low", ""], r"the first in row 1 \(''\)"),
        (MULTICLASS, [0, 1], r"2 of 2 labels are none of the classes .* row 0 \(0\)"),
        (MULTICLASS, [True], r"1 of 1 labels are none of the classes .* row 0 \(True\)"),
        (Regression(), [1.0, None], r"1 of 2 labels are no finite .* in row 1 \(None\)"),
        (Regression(), [1.0, math.nan], r"1 of 2 labels are no finite .* in row 1 \(nan\)"),
        (Regression(), [1.0, -math.inf], r"1 of 2 labels are no finite .* in row 1 \(-inf\)"),
        (Regression(), ["1.0"], "labels are string, not numbers; cast them"),
        (Regression(), [True], "labels are bool, not numbers; cast them"),
    ],
)
def test_what_is_no_label_is_refused_with_its_row(task: Task, label: Any, says: str) -> None:
    with pytest.raises(DataRefused, match=says):
        task.encode("label", pa.chunked_array([label]))


def test_what_can_not_be_learned_is_refused() -> None:
    seen = np.array([0.0, 2.0])
    MULTICLASS.refuse_unlearnable(seen, [np.array([2.0]), np.empty(0)])
    with pytest.raises(DataRefused, match=r"mid: seen among the rows .* and never in training"):
        MULTICLASS.refuse_unlearnable(seen, [np.array([0.0]), np.array([1.0, 2.0])])
    Regression().refuse_unlearnable(np.array([1.0, 2.0]), [])
    with pytest.raises(DataRefused, match=r"every label to learn from is 7.0: there is nothing"):
        Regression().refuse_unlearnable(np.full(5, 7.0), [])


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_pictures_are_drawn(task: Task) -> None:
    import matplotlib.figure

    random = np.random.default_rng(0)
    label = {"binary": [0, 1], "multiclass": [0, 1, 2], "regression": range(60)}[task.name]
    codes = np.resize(np.array(label, float), 60)
    said = np.sort(random.dirichlet(np.ones(3), 60), 1)
    found = task.pictures(tasks.task.Evidence(codes, said[:, : task.num_outputs], np.arange(60)))
    assert found
    for draw in found.values():
        axes = matplotlib.figure.Figure().subplots()
        draw(axes)
        assert axes.get_title()


def test_answers_about_other_classes_are_taken_over_by_name() -> None:
    """A class was added, another one left out: a champion from before can still be judged."""
    before, now = Multiclass(classes=("a", "b", "c")), Multiclass(classes=("c", "a", "new"))
    said = before.answered(np.array([[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.25, 0.0, 0.75]]))
    found = now.outputs(now.checked(now.adapted(said)))
    thirds = [1 / 3] * 3
    expected = [[1 / 3, 2 / 3, 0], thirds, [0.75, 0.25, 0]]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert before.adapted(said) is said
    assert Multiclass(classes=("a", "b")).adapted(said.slice(0, 0)).num_rows == 0


def test_an_answer_of_another_task_is_not_taken_over() -> None:
    said = Binary().answered(np.array([[0.5]]))
    task = Regression()
    with pytest.raises(DataRefused, match=r"regression: the answer is .*probability"):
        task.checked(task.adapted(said))
