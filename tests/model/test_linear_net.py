"""A linear net: off the naive forecast by maps of the past, as numpy and torch say alike."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from models import artifact
from models.errors import ModelRefused
from models.groups import OTHERS, Groups
from models.job import Job
from models.linear_net import NET, LinearNets, inputs, scoring, worker
from models.linear_net.scoring import Net
from models.spec import ModelSpec
from models.tasks import Regression
from tests.model.forecasts import COLUMNS, NAIVE, TASK, made
from tests.model.forecasts import NET as SETTINGS


def job_in(folder: Path) -> Job:
    folder.mkdir(parents=True, exist_ok=True)
    for seed, (name, num_targets) in enumerate((("training", 400), ("validation", 120))):
        pq.write_table(made(num_targets, seed), folder / f"{name}.parquet")
    tables = {name: folder / f"{name}.parquet" for name in ("training", "validation")}
    spec = ModelSpec(columns=COLUMNS, task=TASK, settings=SETTINGS)
    return Job(spec=spec, label="value", tables=tables, folder=folder)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Job:
    job = job_in(tmp_path_factory.mktemp("net"))
    worker.run(job)
    return job


def skill(job: Job, table: pa.Table) -> float:
    answer = artifact.open_folder(job.artifact, job.seal()).score(table)
    found = TASK.evidence("value", table, answer, np.zeros(table.num_rows, int))
    return TASK.scores(found)["pinball_skill_score"] or 0.0


def test_it_learns_what_the_day_before_was_off_by_and_equal_rows_give_an_equal_net(
    learned: Job, tmp_path: Path
) -> None:
    """Half of that, so that most of what the naive forecast loses can be saved."""
    assert skill(learned, made(300, 8)) > 0.4
    again = job_in(tmp_path)
    worker.run(again)
    assert again.seal() == learned.seal()


def test_without_weights_it_says_the_naive_forecast() -> None:
    table = made(50, 3)
    known = inputs.learned(table, COLUMNS, TASK, SETTINGS)
    scales = Groups(("line",), {"a": [2.0], OTHERS: [1.0]})
    nothing = Net(*(np.zeros(shape) for shape in scoring.shapes(known, 2).values()))
    model = scoring.Ahead(nothing, known, scales, COLUMNS, TASK, np.array([-1.0, 0.0, 2.0]))
    week = table["week_before"].to_numpy().astype(np.float32)
    found = model.score(table)
    for name, moved in (("low", -1), ("prediction", 0), ("high", 2)):
        np.testing.assert_allclose(found[name].to_numpy(), week + moved, rtol=1e-6)


def test_numpy_answers_what_torch_was_taught() -> None:
    random, rows = np.random.default_rng(4), 60
    sizes = {"history_HLQ": (5, 3, 3), "step_HQ": (5, 3), "other_FQ": (4, 3), "series_GQ": (2, 3)}
    net = Net(**{name: random.normal(size=shape) for name, shape in sizes.items()})
    past, other = random.normal(size=(rows, 3)), random.normal(size=(rows, 4))
    step, series = random.integers(0, 5, rows), random.integers(0, 2, rows)
    target = random.normal(size=rows)
    given = worker.Rows(
        *(torch.tensor(each) for each in (past, step, other, series, target)), sizes
    )
    weights = {name: torch.tensor(getattr(net, name)) for name in sizes}
    above = target[:, None] - net.outputs(past, step, other, series)
    share = np.array(TASK.quantiles)
    expected = np.maximum(share * above, (share - 1) * above).mean()
    found = worker._loss(weights, given, torch.arange(rows), TASK.quantiles)
    assert found.item() == pytest.approx(expected, rel=1e-6)


def test_numbers_are_measured_by_the_training_rows() -> None:
    table = made(200, 5)
    known = inputs.learned(table, COLUMNS, TASK, replace(SETTINGS, calendar=("is_published",)))
    assert known.numbers == ("week_before", "planned")
    assert known.days == ((0.0, 1.0),)
    other = known.others_of(table)
    np.testing.assert_allclose(other[:, :2].mean(0), 0, atol=1e-9)
    np.testing.assert_allclose(other[:, :2].std(0), 1, atol=1e-9)
    np.testing.assert_array_equal(other[:, 2:].argmax(1), table["is_published"].to_numpy())
    unknown = table.set_column(
        table.column_names.index("planned"), "planned", pa.nulls(table.num_rows, pa.float64())
    )
    assert (known.others_of(unknown)[:, 1] == 0).all()


@pytest.mark.parametrize("change", ["weights", "shape", "columns", "text"])
def test_a_net_of_another_shape_is_refused(learned: Job, tmp_path: Path, change: str) -> None:
    values = json.loads((learned.artifact / NET).read_text())
    if change == "weights":
        values["weights"]["step_HQ"][0][0] = float("nan")
    elif change == "shape":
        values["weights"]["step_HQ"].append([0, 0, 0])
    elif change == "columns":
        values["inputs"]["history"][0] = "somewhere"
    for path in learned.artifact.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / NET).write_text("{" if change == "text" else json.dumps(values))
    with pytest.raises(ModelRefused, match="holds no net of the model's 6 numbers"):
        scoring.load(tmp_path, COLUMNS, TASK)


def test_what_it_can_not_learn_is_said() -> None:
    family = LinearNets()
    assert "regression has none" in family.refusal(Regression(), COLUMNS, SETTINGS)
    other = replace(SETTINGS, history=("day_before", "year_before"))
    said = family.refusal(TASK, COLUMNS, other)
    assert said == "the linear net needs the numeric inputs year_before"
    with pytest.raises(ValueError, match=r"LinearNet\.learning_rate: 0 is no use"):
        replace(SETTINGS, learning_rate=0)
    assert NAIVE.family == "seasonal_naive"
