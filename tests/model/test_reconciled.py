"""Forecasts that add up: nearest to what was said, whatever the order of the rows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from models import artifact, members
from models.job import Job
from models.reconciled import ReconciledForecasts, worker
from models.reconciled.levels import added_up
from models.spec import ModelSpec
from models.tasks import Forecast
from tests.model.forecasts import COLUMNS, FEW_TREES, LEVELS, SUMS, TASK, made
from tests.model.learning import learn_here

WEIGHTED = replace(LEVELS, weight="planned")


def projected(said: np.ndarray, variance: np.ndarray, share: np.ndarray) -> np.ndarray:
    """S (S'W⁻¹S)⁻¹ S'W⁻¹ of the middles, as MinT is written; the whole is the last."""
    parts = len(said) - 1
    summing = np.vstack([np.eye(parts), share])
    inverse = np.diag(1 / variance)
    found = np.linalg.solve(summing.T @ inverse @ summing, summing.T @ inverse @ said)
    return summing @ found


@pytest.mark.parametrize("levels", [LEVELS, WEIGHTED])
def test_it_is_the_projection_that_the_paper_says(levels: object) -> None:
    random = np.random.default_rng(11)
    table = made(40, 1)
    said = np.sort(random.normal(size=(table.num_rows, 3)) * 5, 1)
    variance = random.gamma(2, 2, table.num_rows)
    found = added_up(levels, table, said, variance, None)  # type: ignore[arg-type]
    names, target = np.array(table["line"]), table["target"].to_numpy()
    for one in range(40):
        rows = [
            int(np.flatnonzero((target == one) & (names == name))[0]) for name in ("a", "b", "all")
        ]
        planned = table["planned"].to_numpy()[rows[:2]]
        share = np.ones(2) if levels is LEVELS else planned / planned.sum()
        expected = projected(said[rows, 1], variance[rows], share)
        np.testing.assert_allclose(found[rows, 1], expected, atol=1e-9)
        moved = found[rows] - said[rows]
        np.testing.assert_allclose(moved, np.repeat(moved[:, 1:2], 3, 1), atol=1e-9)


def test_what_adds_up_is_left_alone_and_the_order_of_rows_says_nothing() -> None:
    table = made(30, 2)
    value = table["value"].to_numpy()
    said = np.column_stack([value - 1, value, value + 2])
    variance = np.random.default_rng(0).gamma(2, 2, len(value))
    np.testing.assert_allclose(added_up(LEVELS, table, said, variance, None), said, atol=1e-9)
    order = np.random.default_rng(1).permutation(len(value))
    rough = said + np.random.default_rng(2).normal(size=said.shape)
    found = added_up(LEVELS, table, rough, variance, None)
    again = added_up(LEVELS, table.take(order), rough[order], variance[order], None)
    np.testing.assert_allclose(again, found[order], atol=1e-9)


def test_a_part_stays_at_the_minimum_and_the_whole_follows() -> None:
    table = pa.table(
        {"place": ["X"] * 3, "target": [1] * 3, "step": [1] * 3, "line": ["a", "b", "all"]}
    )
    said = np.tile([[0.0], [5.0], [1.0]], (1, 3))
    found = added_up(LEVELS, table, said, np.ones(3), 0.0)
    np.testing.assert_allclose(found[:, 1], [0, 5 - 4 / 3, 5 - 4 / 3])
    free = added_up(LEVELS, table, said, np.ones(3), None)
    np.testing.assert_allclose(free[:, 1], [-4 / 3, 5 - 4 / 3, 1 + 4 / 3])


def test_a_whole_without_parts_and_parts_without_a_whole_are_left_alone() -> None:
    table = pa.table(
        {"place": ["X"] * 3, "target": [1, 1, 2], "step": [1] * 3, "line": ["a", "b", "all"]}
    )
    said = np.arange(9.0).reshape(3, 3)
    np.testing.assert_array_equal(added_up(LEVELS, table, said, np.ones(3), None), said)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder = tmp_path_factory.mktemp("sums")
    for seed, (name, num_targets) in enumerate((("training", 500), ("validation", 150))):
        pq.write_table(made(num_targets, seed), folder / f"{name}.parquet")
    tables = {name: folder / f"{name}.parquet" for name in ("training", "validation")}
    spec = ModelSpec(columns=COLUMNS, task=TASK, settings=SUMS)
    job = Job(spec=spec, label="value", tables=tables, folder=folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(members, "_run", learn_here)
        worker.run(job)
    return job


def off(table: pa.Table, answer: pa.Table) -> float:
    """The most that a whole is off its parts."""
    said = table.append_column("said", answer["prediction"].cast(pa.float64()))
    sign = np.where(np.array(table["line"]) == "all", -1.0, 1.0)
    said = said.append_column("signed", pa.array(sign * said["said"].to_numpy()))
    sums = said.group_by("target").aggregate([("signed", "sum")])
    return float(pc.max(pc.abs(sums["signed_sum"])).as_py())


def test_answers_add_up_where_those_of_its_member_do_not(learned: Job, tmp_path: Path) -> None:
    table = made(200, 9)
    model = artifact.open_folder(learned.artifact, learned.seal())
    assert off(table, model.score(table)) < 1e-4
    folder = learned.folder / "members" / "forecasts" / "artifact"
    digest = artifact.sha256_of(folder / artifact.MANIFEST)
    member = artifact.open_folder(folder, digest)
    assert off(table, member.score(table)) > 1
    losses = [
        TASK.scores(TASK.evidence("value", table, each.score(table), np.zeros(table.num_rows, int)))
        for each in (model, member)
    ]
    assert losses[0]["mean_pinball_loss"] < losses[1]["mean_pinball_loss"]
    assert model.scorer.asked.names == [*COLUMNS.inputs, "target"]


def test_nothing_is_reconciled_that_does_not_say_how() -> None:
    alone = Forecast(naive="week_before", published="is_published")
    said = ReconciledForecasts().refusal(alone, COLUMNS, SUMS)
    assert said.startswith("nothing says how answers to forecast add up")
    unknown = replace(TASK, levels=replace(LEVELS, weight="seats"))
    said = ReconciledForecasts().refusal(unknown, COLUMNS, SUMS)
    assert said == "to add up needs the inputs seats"
    assert ReconciledForecasts().refusal(TASK, COLUMNS, replace(SUMS, member=FEW_TREES)) == ""
