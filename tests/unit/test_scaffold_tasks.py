"""The task of a label: guessed, said, or refused in words; and what is proposed for each."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from models import tasks
from models.families import find
from models.tasks import Binary, Multiclass, Regression, Task
from pipelines.core.errors import UsageError
from pipelines.data.reading.files import FileTable
from pipelines.scaffold import shown
from pipelines.scaffold.answers import ANSWERS
from pipelines.scaffold.ask import Ask
from pipelines.scaffold.guess import CLASS_ROWS_MIN, CLASSES_MAX, TASKS
from pipelines.scaffold.infer import Proposal, infer
from pipelines.scaffold.literals import sql_text
from pipelines.scaffold.measures import measures
from pipelines.scaffold.plan import planned, trees
from pipelines.scaffold.reserved import RESERVED
from pipelines.scaffold.target import Target, target
from tests import made_tables
from tests.made_profiles import profile

NOW = datetime(2026, 11, 21, tzinfo=UTC)
DAYS = [date(2026, 9, 1) + timedelta(days=number) for number in range(40)]
# Not one a day more than another, and never a whole number.
PRICES = [f"{number * 37 % 101}.5" for number in range(300)]


def of(texts: Sequence[str | None], task: str | None = None, positive: str | None = None) -> Target:
    return target(profile("Label", texts), task, positive)


@pytest.mark.parametrize(
    ("texts", "task", "kind", "classes"),
    [
        (["0", "1"] * 9, "binary", "boolean", ["true", "false"]),
        (["True", "False", ""] * 9, "binary", "boolean", ["true", "false"]),
        (["0.0", "1.0", None] * 9, "binary", "boolean", ["true", "false"]),
        (["b", "a", "c", ""] * 10, "multiclass", "string", ["a", "b", "c"]),
        (["10", "9", "-1"] * 10, "multiclass", "bigint", ["-1", "9", "10"]),
        # As pandas writes whole numbers with gaps.
        (["1.0", "2.0", "3.0", "NA"] * 10, "multiclass", "bigint", ["1", "2", "3"]),
        (["1", "2", "3"] * 9, "regression", "double", []),
        ([str(number) for number in range(CLASSES_MAX)] * 10, "multiclass", "bigint", None),
        ([str(number) for number in range(CLASSES_MAX + 1)] * 10, "regression", "double", []),
        (["0.5", "1", "1.5"] * 50, "regression", "double", []),
        (PRICES, "regression", "double", []),
        ([*PRICES, "NA", "", None, "oops"], "regression", "double", []),
    ],
)
def test_the_task_is_guessed_from_the_values(texts, task, kind, classes):
    found = of(texts)
    assert (found.task, found.type) == (task, kind)
    assert found.guessed
    assert classes is None or list(found.counts) == classes
    known = [text for text in texts if text not in ("", "NA", "oops", None)]
    assert found.num_labelled == len(known)


@pytest.mark.parametrize(
    ("texts", "task", "kind"),
    [
        (["a", "b", "b"], "multiclass", "string"),
        (["a", "b", "NA"], "multiclass", "string"),
        (["0", "1"] * 9, "multiclass", "bigint"),
        (["0", "1"] * 9, "regression", "double"),
        ([str(number) for number in range(60)], "regression", "double"),
        ([str(number) for number in range(200)], "multiclass", "bigint"),
        (["1", "2", "3"] * 50, "regression", "double"),
        (["0", "1"] * 9, "binary", "boolean"),
    ],
)
def test_a_task_that_is_said_is_taken(texts, task, kind):
    found = of(texts, task)
    assert (found.task, found.type, found.guessed) == (task, kind, None)


@pytest.mark.parametrize(
    ("texts", "task", "positive", "said"),
    [
        ([None, ""], None, None, "label Label has no value in 2 rows: nothing is known yet"),
        (
            ["no"] * 9,
            None,
            None,
            r"has 1 value \('no'\) in 9 rows that have any: there is nothing",
        ),
        (["7", "7.0"], None, None, "there is nothing to predict"),
        ([f"n{n}" for n in range(99)], None, None, "has 99 values .*: it names the rows, of which"),
        ([f"n{n % 50}" for n in range(999)], None, None, "it is no class, of which 20 at most"),
        (["a", "b"] * 9 + ["c"], None, None, "has the value 'c' in 1 rows, a class is guessed"),
        (["a", "b", "NA"] * 9, None, None, "the value 'NA' among others .*: if it means not"),
        ([f"{n}" for n in range(7, 99, 3)], None, None, "another whole number in each row, in"),
        (["2026-03-01", "2026-03-02", "2026-03-03"], None, None, "holds instants .* make a number"),
        (["paid", "lost"], None, None, "neither yes and no, 0 .* but 'lost' and 'paid'; say by"),
        (["N", "S"] * 20, None, None, "neither yes and no, 0 and 1 nor true and false but 'N'"),
        (["yes"] * 9 + [""] * 8, None, None, "if empty, as in 8 rows, is the other value, write"),
        (["a", "b", "c"], "binary", None, r"has 3 values \('a', 'b', 'c'\); a yes or no has two"),
        (["a", "b", "c"], None, "a", "or say another --task"),
        (["a", "b", "c"], "regression", None, "is no column of different numbers"),
        (["4", "4"], "regression", None, "is no column of different numbers"),
        (["a"] * 9, "multiclass", None, "has 1 values .*; classes are 2 to 200: group them"),
        ([f"n{n}" for n in range(201)], "multiclass", None, "has 201 values .*; classes are 2 to"),
        (["0.5", "1.5"], "multiclass", None, "numbers that are not whole .* --task regression"),
        (["a", "b"], "multiclass", "a", "--positive .* leave it out of --task multiclass"),
        (["a", "b"], "order", None, "--task 'order' is none of binary, multiclass, regression, ra"),
    ],
)
def test_what_is_no_task_is_refused_in_words(texts, task, positive, said):
    with pytest.raises(UsageError, match=said):
        of(texts, task, positive)


# By what a generated gate judges, since it names no metric: the task's first.
JUDGED = {
    "binary": "roc_auc",
    "multiclass": "d2_log_loss_score",
    "regression": "d2_pinball_score",
}


def test_the_tasks_are_those_of_models_and_the_gate_asks_what_they_have():
    assert set(TASKS) == set(tasks.TASKS)
    example: dict[str, Task] = {
        "binary": Binary(),
        "multiclass": Multiclass(classes=("a", "b")),
        "regression": Regression(),
    }
    for name, task in example.items():
        answer = ANSWERS[name]
        assert task.metric().name == JUDGED[name], "the gate's comment and floor are about another"
        assert find(answer.family).name == answer.family
        assert set(task.answer.names) <= RESERVED
        assert set(task.unit) <= RESERVED


def proposed(path: Path, ask: Ask) -> Proposal:
    return infer(ask, FileTable(str(path), (path.parent,)), NOW)


@pytest.fixture
def tickets(tmp_path: Path) -> Proposal:
    path = made_tables.write(made_tables.tickets(DAYS), tmp_path / "tickets.csv")
    times = {"event_time": "Arrived", "label": "Answered by"}
    return proposed(path, Ask(name="letters", location=str(path), key=("Ticket",), **times))


@pytest.fixture
def trips(tmp_path: Path) -> Proposal:
    path = made_tables.write(made_tables.trips(DAYS), tmp_path / "trips.csv")
    times = {"event_time": "Started", "label": "Fare (EUR)"}
    return proposed(path, Ask(name="taxi", location=str(path), key=("Trip",), **times))


def test_a_plan_asks_for_rows_of_the_second_class_and_scales_the_trees(tickets, trips):
    plan = planned(tickets)
    # 60 rows a day: 10 days are for evaluation, of 600 rows 26 % are of the second class.
    assert plan.evaluation_days == 10
    assert plan.num_class_rows_min == int(600 * tickets.target.second_share / 2) > CLASS_ROWS_MIN
    found = (plan.num_rounds, plan.num_leaves, plan.min_rows, plan.min_category_rows)
    assert found == trees(plan.num_training_rows) == (1000, 8, 15, 5)
    assert planned(trips).num_rows_min == 300
    assert trees(0) == (1000, 8, 10, 5)


def test_a_plan_counts_the_rows_whose_label_is_known(tmp_path):
    rows = enumerate(made_tables.trips(DAYS))
    few = (row | ({"Fare (EUR)": ""} if place % 10 else {}) for place, row in rows)
    path = made_tables.write(few, tmp_path / "trips.csv")
    times = {"event_time": "Started", "label": "Fare (EUR)"}
    plan = planned(proposed(path, Ask(name="taxi", location=str(path), key=("Trip",), **times)))
    # 6 of 60 rows a day have a label: of 10 days for evaluation 60, and the gate asks for 50.
    assert (plan.evaluation_days, plan.num_rows_min) == (10, 50)
    assert plan.num_training_rows == 6 * (40 - 10 - plan.validation_days)
    # What is watched are predictions, one a row.
    assert (plan.watched_days, plan.num_watched_min) == (1, 30)


def test_the_report_says_the_task_and_how_to_say_another(tickets, trips):
    assert (
        shown._label(tickets) == "answered_by is one of 5 classes, billing in 34%, known of 2,400"
    )
    assert shown._task(tickets).startswith("multiclass, guessed from Answered by: it has 5 values")
    assert shown._task(tickets).endswith("say --task binary or regression")
    assert shown._label(trips).startswith("fare_eur is from 3.")
    assert "guessed from Fare (EUR)" in shown._task(trips)


def test_states_keep_the_shares_of_frequent_classes_in_any_words():
    texts = ["it's"] * 30 + ["Größe {{ x }}"] * 20 + ["c"] * 12 + ["d"] * 11 + ["e"] * 10
    found = measures("label", of(texts))
    names = [each.feature(7) for each in found]
    assert names == [
        "label_rate_of_it_s_7d",
        "label_rate_of_grosse_x_7d",
        "label_rate_of_c_7d",
        "label_rate_of_d_7d",
    ]
    assert found[0].value == r"int(label = 'it\u0027s')"
    assert "{{" not in found[1].value
    assert found[0].said(7).startswith("Share of these rows of 7 days with a label whose label is")
    numbers = measures("stars", of(["-1", "1", "2"] * 20))
    assert [each.value for each in numbers] == [f"int(stars = {n})" for n in ("-1", "1", "2")]
    assert numbers[0].name == "label_rate_of_minus_1"
    alike = measures("label", of(["a b", "a-b", "c"] * 10))
    assert [each.name for each in alike] == [f"label_rate_of_class_{n}" for n in (1, 2, 3)]
    (_, _, timed) = measures("label", of(["a", "b", "seen at"] * 10))
    assert timed.said(28).endswith(", 0 to 1; UTC; null if none has one")


def test_states_sum_a_number_in_whole_units():
    (mean,) = measures("fare", of(PRICES))
    assert mean.value == "bigint(round(fare * 1000000))"
    assert mean.divided == " / 1000000"
    # From 0.5 to 100.5, as much room above, and none below zero: some are next to it.
    assert mean.limits == ("0", "210")


def test_a_text_in_sql_is_read_as_it_was():
    """By Spark's rules: a backslash and u, four digits; U, eight."""
    texts = ["plain words", "it's", "a\\b", "{% x %} ${y}", "tab\t, new\nline", "Größe", "🎈"]
    for text in texts:
        literal = sql_text(text)
        assert literal.isascii()
        assert not set("{}$\n") & set(literal)
        assert literal.startswith("'")
        assert literal[1:-1].encode().decode("unicode_escape") == text


@pytest.mark.parametrize(("make", "label"), [("tickets", "Answered by"), ("trips", "Fare (EUR)")])
def test_the_made_tables_are_the_same_each_time(make, label):
    first, again = (pa.Table.from_pylist(list(getattr(made_tables, make)(DAYS))) for _ in range(2))
    assert first == again
    assert first.num_rows == len(DAYS) * made_tables.ROWS_A_DAY
    assert label in first.column_names


@pytest.mark.parametrize("texts", [[f"{n + 1}e-310" for n in range(60)], ["1e-310", "2e-310"]])
def test_numbers_of_no_one_size_are_refused_in_words(texts):
    with pytest.raises(UsageError, match=r"has numbers of no one size .*no limits can be proposed"):
        of(texts, "regression")
