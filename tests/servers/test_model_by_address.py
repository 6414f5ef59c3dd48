"""Spark's own workers open the model at its address; the plan does not carry it."""

from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models import scoring
from models.architecture import Architecture
from models.columns import Columns
from models.data import to_rows
from models.fit import fit
from models.net import Net
from models.onnx_export import to_onnx
from models.optimisation import Optimisation
from models.preprocess import Preprocessing, fit_statistics
from pipelines.core.settings import Settings
from pipelines.learning import artifacts, predict
from pipelines.stores import objects

COLUMNS = Columns(numeric=("delay",), categorical=())


def table(num_rows: int) -> pa.Table:
    delay = np.linspace(0.0, 1.0, num_rows)
    return pa.table({"delay": delay, "label": delay > 0.5})


@pytest.fixture(scope="module")
def content() -> bytes:
    statistics = fit_statistics(table(200), COLUMNS, Preprocessing(num_bins=4))
    rows = to_rows(table(200), COLUMNS, statistics)
    shape = Architecture(numeric_size=2, categorical_size=2, hidden_size=4, num_members=2)
    steps = Optimisation(
        batch_rows=50, max_epochs=1, learning_rate=0.01, warmup_steps=2, patience=1
    )
    return to_onnx(fit(Net(statistics, shape, 0), rows, rows, steps).net, COLUMNS, statistics)


def scored(spark: Any, file: artifacts.ModelFile, rows: pa.Table) -> Any:
    frame = spark.createDataFrame(rows.to_pandas())
    schema = "delay double, label boolean, probability float"
    return frame.mapInArrow(predict.scorer(file), schema).toArrow()


def test_workers_answer_as_the_model_does(spark: Any, settings: Settings, content: bytes) -> None:
    digest = sha256(content).hexdigest()
    file = artifacts.put(objects.artifacts(settings), digest, lambda: content)
    found = scored(spark, file, table(1000)).sort_by("delay")
    expected = scoring.load(content, digest).score(table(1000))
    assert np.allclose(found["probability"].to_numpy(), expected, atol=1e-6)


def test_r15_workers_refuse_other_bytes(spark: Any, settings: Settings, content: bytes) -> None:
    store, other = objects.artifacts(settings), sha256(b"another").hexdigest()
    file = artifacts.put(store, other, lambda: b"another")
    store.put(file.name, content)
    with pytest.raises(Exception, match=f"registered was {other}"):
        scored(spark, file, table(10))
    store.below(other).keep_only(())
