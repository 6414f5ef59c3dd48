"""What one rank does with a job, without torchrun: who writes, in which order, from which rows."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models import job as jobs
from models.errors import ModelRefused
from models.job import Job
from models.tabular_net import onnx_export, worker
from models.tabular_net.fit import Epoch, Fitted
from models.tabular_net.net import Net
from models.tabular_net.ranks import ALONE
from models.tabular_net.worker import run


@pytest.fixture
def job(toy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """A job whose net is not trained: its first weights are the result."""
    late = toy.table["delay"].to_numpy() + 1e6
    place = toy.table.column_names.index("delay")
    pq.write_table(toy.table, tmp_path / "training.parquet")
    pq.write_table(
        toy.table.set_column(place, "delay", pa.array(late)), tmp_path / "validation.parquet"
    )
    monkeypatch.setattr(worker, "fit", lambda net, *_, **__: Fitted(net, 0, (Epoch(0, 0.5, 0.5),)))
    return Job(
        spec=toy.spec,
        label="label",
        tables={name: tmp_path / f"{name}.parquet" for name in ("training", "validation")},
        folder=tmp_path,
    )


def test_rank_0_alone_writes_the_model(job: Job) -> None:
    run(job, replace(ALONE, rank=1))
    assert not (job.folder / "result.json").exists()
    assert not (job.artifact / "model.onnx").exists()
    run(job, ALONE)
    assert job.result["facts"]["num_training_rows"] == 401


def test_statistics_come_from_the_training_rows_alone(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Net] = []

    def fit(net: Net, *_: Any, **__: Any) -> Fitted:
        seen.append(net)
        return Fitted(net, 0, (Epoch(0, 0.5, 0.5),))

    monkeypatch.setattr(worker, "fit", fit)
    run(job, ALONE)
    assert seen[0].numeric.last_F[0].item() < 1000


def test_a_result_always_has_its_model(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(path: Path, _: Any) -> None:
        assert path.name == "result.json"
        raise KeyboardInterrupt

    monkeypatch.setattr(jobs, "write_json", killed)
    with pytest.raises(KeyboardInterrupt):
        run(job, ALONE)
    assert (job.artifact / "model.onnx").exists()
    assert not (job.folder / "result.json").exists()


def test_a_model_that_nobody_would_open_is_not_written(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_export, "to_onnx", lambda *_: b"\x80 no ONNX")
    with pytest.raises(ModelRefused):
        run(job, ALONE)
    assert not (job.artifact / "model.onnx").exists()


def test_a_success_clears_away_the_failure_before_it(job: Job) -> None:
    (job.folder / "failure.json").write_text("{}")
    run(job, ALONE)
    assert not (job.folder / "failure.json").exists()
