"""The row of figures that the goal `quality` prints and keeps, from runs that are made up."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from benchmarks import quality
from benchmarks.contest import judge
from benchmarks.contest.contestants import CONTESTANTS, LABEL, SPEC, labels
from benchmarks.contest.judge import Parts, Run

SEED = 5


@pytest.fixture(scope="module")
def parts() -> Parts:
    """A test of 30 days of 20 flights each."""
    print(f"seed {SEED}")
    at = [datetime(2013, 10, 1, 12, tzinfo=UTC) + timedelta(days=row // 20) for row in range(600)]
    late = np.random.default_rng(SEED).random(600) < 0.3
    test = pa.table({"known_at": pa.array(at, pa.timestamp("us", "UTC")), LABEL: late})
    return Parts(test.slice(0, 0), test.slice(0, 1), test)


def a_run(parts: Parts, goodness: float, seed: int = 0) -> Run:
    """Probabilities that follow the labels as closely as asked."""
    label = labels(parts.test)
    noise = np.random.default_rng(seed).random(len(label))
    probability = goodness * label + (1 - goodness) * noise
    scores = SPEC.task.scores(judge.evidence(parts.test, probability))
    return Run(seed, 1.0 + seed, scores, probability)


@pytest.fixture
def contest(parts):
    names = ("LightGBM", "net")
    assert set(names) <= set(CONTESTANTS)
    return {name: [a_run(parts, 0.2, seed) for seed in (0, 1, 2)] for name in names}


@pytest.fixture
def controls(parts):
    return {"same-day outcomes": a_run(parts, 0.5), "random split": a_run(parts, 0.5)}


def test_the_row_has_medians_and_every_seed(contest, controls, parts):
    row = json.loads(json.dumps(quality.verdict(contest, controls, parts)))
    found = row["contestants"]["net"]
    areas = sorted(run["roc_auc"] for run in found["runs"])
    assert found["median"]["roc_auc"] == areas[1]
    assert found["median"]["seconds"] == 2.0
    assert [run["seed"] for run in found["runs"]] == [0, 1, 2]
    interval = found["roc_auc_interval"]
    assert interval["low"] < interval["estimate"] == areas[1] < interval["high"]
    assert found["roc_auc_less_lightgbm"]["estimate"] == 0
    assert row["rows"] == parts.sizes()


def test_met_follows_from_the_figures(contest, controls, parts, monkeypatch):
    row = quality.verdict(contest, controls, parts)
    reached = row["contestants"]["LightGBM"]["median"]["roc_auc"]
    for target, met in ((reached, True), (reached + 1e-6, False)):
        monkeypatch.setattr(quality, "TARGET", {"LightGBM": target, "net": 0.5})
        assert quality.verdict(contest, controls, parts)["met"] is met
    monkeypatch.setattr(quality, "TARGET", {"LightGBM": 0.5, "net": 0.99})
    assert quality.verdict(contest, controls, parts)["met"] is False


def test_a_control_that_gains_nothing_and_a_contestant_too_good_are_told(contest, controls, parts):
    row = quality.verdict(contest, controls, parts)
    assert (row["controls_look_too_good"], row["leak_suspected"]) == (True, False)
    row = quality.verdict(contest, {**controls, "random split": a_run(parts, 0.2)}, parts)
    assert row["controls_look_too_good"] is False
    row = quality.verdict({**contest, "net": [a_run(parts, 0.6)] * 3}, controls, parts)
    assert row["leak_suspected"] is True


def test_people_read_every_contestant_and_control(contest, controls, parts):
    shown = quality.lines(quality.verdict(contest, controls, parts))
    for name in (*contest, *controls):
        assert sum(name in line for line in shown) >= 1
    (of_net,) = (line for line in shown if line.startswith("net  "))
    area = judge.medians(contest["net"])["roc_auc"]
    assert of_net.split()[1] == f"{area:.4f}"
    assert of_net.split()[-1] == "0.755"
    assert "controls look too good: True" in shown[-1]


def test_rows_are_appended(tmp_path):
    for number in (1, 2):
        quality.append({"number": number}, tmp_path / "results" / "quality.jsonl")
    written = (tmp_path / "results" / "quality.jsonl").read_text().splitlines()
    assert [json.loads(line)["number"] for line in written] == [1, 2]
