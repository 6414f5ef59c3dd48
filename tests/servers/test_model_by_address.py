"""Spark's own workers open the model at its address; the plan does not carry it."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models import artifact
from models.columns import Columns
from models.tabular_net import FILE
from models.tabular_net.architecture import Architecture
from models.tabular_net.data import to_rows
from models.tabular_net.fit import fit
from models.tabular_net.heads import head
from models.tabular_net.net import Net
from models.tabular_net.onnx_export import to_onnx
from models.tabular_net.optimisation import Optimisation
from models.tabular_net.preprocess import Preprocessing, fit_statistics
from models.tasks import Binary
from pipelines.core.errors import CheckFailed
from pipelines.core.settings import Settings
from pipelines.learning import predict, registry
from pipelines.stores import objects
from pipelines.stores.spark import in_words

COLUMNS, TASK = Columns(numeric=("delay",), categorical=()), Binary()


def table(num_rows: int) -> pa.Table:
    delay = np.linspace(0.0, 1.0, num_rows)
    return pa.table({"delay": delay, "label": delay > 0.5})


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a small net, and its digest."""
    statistics = fit_statistics(table(200), COLUMNS, Preprocessing(num_bins=4))
    label = TASK.encode("label", table(200)["label"])
    rows, means = to_rows(table(200), COLUMNS, statistics, label), head(TASK, label)
    shape = Architecture(numeric_size=2, categorical_size=2, hidden_size=4, num_members=2)
    steps = Optimisation(
        batch_rows=50, max_epochs=1, learning_rate=0.01, warmup_steps=2, patience=1
    )
    net = fit(Net(statistics, shape, 1, 0), means, rows, rows, steps).net
    folder = tmp_path_factory.mktemp("artifact")
    (folder / FILE).write_bytes(to_onnx(net, means, COLUMNS, statistics))
    return folder, artifact.seal(folder, TASK, COLUMNS, "tabular_net")


def put(settings: Settings, learned: tuple[Path, str]) -> registry.Address:
    folder, digest = learned
    fetch = lambda scratch: Path(shutil.copytree(folder, scratch / "fetched"))  # noqa: E731
    return registry.put(objects.artifacts(settings), digest, fetch)


def scored(spark: Any, place: registry.Address, rows: pa.Table) -> Any:
    frame = spark.createDataFrame(rows.to_pandas())
    return predict._by_workers(frame, TASK, predict.scorer(place)).toArrow()


def test_workers_answer_as_the_model_does(
    spark: Any, settings: Settings, learned: tuple[Path, str]
) -> None:
    found = scored(spark, put(settings, learned), table(1000)).sort_by("delay")
    expected = artifact.open_folder(*learned).score(table(1000))
    said, should = (rows["probability"].to_numpy() for rows in (found, expected))
    assert np.allclose(said, should, atol=1e-6)


def test_a_version_from_before_artifacts_were_folders_answers_as_it_did(
    spark: Any, settings: Settings, learned: tuple[Path, str], tmp_path: Path
) -> None:
    """One ONNX file without a manifest, registered by its own digest."""
    (tmp_path / FILE).write_bytes((learned[0] / FILE).read_bytes())
    old = put(settings, (tmp_path, artifact.sha256_of(tmp_path / FILE)))
    found = scored(spark, old, table(1000)).sort_by("delay")
    expected = artifact.open_folder(*learned).score(table(1000))
    said, should = (rows["probability"].to_numpy() for rows in (found, expected))
    assert np.allclose(said, should, atol=1e-6)


def test_r15_workers_refuse_other_bytes(
    spark: Any, settings: Settings, learned: tuple[Path, str], tmp_path: Path
) -> None:
    # One that no worker has opened yet.
    folder = Path(shutil.copytree(learned[0], tmp_path / "other"))
    learned = folder, artifact.seal(folder, TASK, COLUMNS, "tabular_net", corpus={"gold.t": 1})
    place, store = put(settings, learned), objects.artifacts(settings)
    changed = bytearray(store.read_bytes(f"{place.digest}/{FILE}"))
    changed[-1] ^= 1
    store.put(f"{place.digest}/{FILE}", bytes(changed))
    with pytest.raises(Exception, match=f"{FILE} changed"):
        scored(spark, place, table(10))
    # Found damaged where it is put, it is fetched again.
    assert put(settings, learned) == place
    assert artifact.sha256_of(learned[0] / FILE) == store.sha256(f"{place.digest}/{FILE}")


def test_r15_what_was_not_registered_is_not_put(
    settings: Settings, learned: tuple[Path, str], tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(learned[0], tmp_path / "other"))
    (folder / FILE).write_bytes(b"another model")
    store, digest = objects.artifacts(settings), "0" * 64
    for wrong in (digest, learned[1]):
        with pytest.raises(CheckFailed, match="was changed or replaced"):
            registry.put(store.below("elsewhere"), wrong, lambda _: folder)
    assert store.below("elsewhere").names() == []


def test_an_answer_that_is_none_is_told_in_a_line(spark: Any) -> None:
    def score(parts: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for part in parts:
            said = TASK.answered(np.full((part.num_rows, 1), np.nan))
            yield part.append_column("probability", TASK.checked(said)["probability"])

    frame = spark.createDataFrame(table(10).to_pandas())
    said = r"^version 7: probability: the answer to row 0 is nan, not the probability of yes"
    with pytest.raises(CheckFailed, match=said), in_words("version 7"):
        predict._by_workers(frame, TASK, score).toArrow()


@dataclass(frozen=True, kw_only=True)
class WholeUnits(Binary):
    """A task whose answers depend on the other rows of their unit."""

    @property
    def together(self) -> tuple[str, ...]:
        return self.unit


def test_rows_of_a_unit_are_never_parted(spark: Any) -> None:
    """Units of several partitions, and of more rows than one Arrow batch holds by default."""

    def score(parts: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for part in parts:
            assert len(set(part["query"].to_pylist())) == 1
            share = np.full(part.num_rows, 1 / part.num_rows, np.float32)
            yield part.append_column("probability", pa.array(share))

    num_rows, num_queries = 36_000, 3
    rows = pa.table({"item": range(num_rows), "query": np.arange(num_rows) % num_queries})
    frame = spark.createDataFrame(rows.to_pandas()).repartition(7)
    found = predict._by_workers(frame, WholeUnits(unit=("query",)), score).toArrow()
    assert sorted(found["item"].to_pylist()) == list(range(num_rows))
    # Each row is told how many there are of its query: all of them.
    assert set(np.round(1 / found["probability"].to_numpy())) == {num_rows / num_queries}
