"""A model by address: put once, opened once, and only if its bytes are the registered ones."""

import io
from collections.abc import Callable
from hashlib import sha256
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pytest
from pyspark import cloudpickle  # type: ignore[attr-defined]

from models import scoring
from models.errors import ModelRefused
from models.fit import fit
from models.onnx_export import to_onnx
from pipelines.core.errors import CheckFailed
from pipelines.learning import artifacts, predict
from pipelines.stores.objects import Objects


@pytest.fixture(scope="module")
def content(toy: Any) -> bytes:
    rows = toy.rows()
    return to_onnx(
        fit(toy.net(), rows, rows, toy.spec.optimisation).net, toy.spec.columns, toy.statistics
    )


@pytest.fixture
def store() -> Objects:
    """No disk is needed: as a bucket would, it has no renaming."""
    return Objects.at(f"memory://{uuid4().hex}")


def counted(content: bytes) -> tuple[Callable[[], bytes], list[int]]:
    calls: list[int] = []
    return lambda: calls.append(1) or content, calls  # type: ignore[func-returns-value]


def test_a_model_is_put_once_and_healed(store: Objects) -> None:
    content = b"a model"
    digest = sha256(content).hexdigest()
    fetch, calls = counted(content)
    file = artifacts.put(store, digest, fetch)
    assert store.names() == [file.name] == [f"{digest}/model.onnx"]
    assert artifacts.put(store, digest, fetch) == file
    assert len(calls) == 1
    store.keep_only(())
    artifacts.put(store, digest, fetch)
    store.put(file.name, b"another")
    artifacts.put(store, digest, fetch)
    assert (store.read_bytes(file.name), len(calls)) == (content, 3)


def test_r15_a_registry_that_gives_another_file_is_not_believed(store: Objects) -> None:
    digest = sha256(b"registered").hexdigest()
    with pytest.raises(CheckFailed, match=f"registered was {digest}"):
        artifacts.put(store, digest, lambda: b"changed")
    assert store.names() == []


def test_r15_a_worker_refuses_other_bytes_at_the_address(store: Objects, content: bytes) -> None:
    digest = sha256(content).hexdigest()
    file = artifacts.put(store, digest, lambda: content)
    store.put(file.name, content[:-1] + b"\0")
    with pytest.raises(ModelRefused, match=f"registered was {digest}"):
        artifacts.load(file)
    # What failed is not remembered.
    store.put(file.name, content)
    assert artifacts.load(file).digest == digest


def test_the_plan_carries_an_address_and_the_worker_opens_it_once(
    store: Objects, content: bytes, make_table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = artifacts.put(store, sha256(content).hexdigest(), lambda: content)
    pickled = cloudpickle.dumps(predict.scorer(file))
    assert len(pickled) < 4096 < len(content)
    opened, real = [], scoring.load
    monkeypatch.setattr(scoring, "load", lambda *given: opened.append(1) or real(*given))
    table = make_table(50)
    batches = table.to_batches(max_chunksize=20)
    expected = real(content, file.digest).score(table)
    for _ in range(2):  # another plan of the same process
        score = cloudpickle.load(io.BytesIO(pickled))
        found = pa.Table.from_batches(score(iter(batches)))
        assert np.array_equal(found["probability"].to_numpy(), expected)
        assert found.drop_columns(["probability"]).equals(table)
    assert len(opened) == 1
