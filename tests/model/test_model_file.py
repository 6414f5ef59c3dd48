"""A model by address: put once, opened once, and only if its bytes are the registered ones."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pyarrow as pa
import pytest
from pyspark import cloudpickle  # type: ignore[attr-defined]

from models import artifact
from models.artifact import MANIFEST
from models.errors import ModelRefused
from models.tabular_net import FILE
from pipelines.core.errors import CheckFailed
from pipelines.learning import predict, registry
from pipelines.stores.objects import Objects


@pytest.fixture(scope="module")
def learned(toy: Any, content: bytes, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A sealed folder of the toy's net, and its digest."""
    folder = tmp_path_factory.mktemp("learned")
    (folder / FILE).write_bytes(content)
    digest = artifact.seal(folder, toy.spec.task, toy.spec.columns, "tabular_net")
    return folder, digest


@pytest.fixture
def store() -> Objects:
    """No disk is needed: as a bucket would, it has no renaming."""
    return Objects.at(f"memory://{uuid4().hex}")


def counted(folder: Path) -> tuple[Callable[[Path], Path], list[int]]:
    calls: list[int] = []

    def fetch(scratch: Path) -> Path:
        calls.append(1)
        return Path(shutil.copytree(folder, scratch / "fetched"))

    return fetch, calls


def test_a_model_is_put_once_and_healed(store: Objects, learned: Any) -> None:
    folder, digest = learned
    fetch, calls = counted(folder)
    place = registry.put(store, digest, fetch)
    assert store.names() == [f"{digest}/{MANIFEST}", f"{digest}/{FILE}"]
    assert registry.put(store, digest, fetch) == place
    assert len(calls) == 1
    store.keep_only(())
    registry.put(store, digest, fetch)
    for name in (FILE, MANIFEST):
        store.put(f"{digest}/{name}", b"another")
        registry.put(store, digest, fetch)
        assert store.read_bytes(f"{digest}/{name}") == (folder / name).read_bytes()
    assert len(calls) == 4


def test_r15_a_registry_that_gives_another_file_is_not_believed(
    store: Objects, learned: Any, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(learned[0], tmp_path / "changed"))
    (folder / FILE).write_bytes(b"changed")
    with pytest.raises(CheckFailed, match=f"{FILE} changed"):
        registry.put(store, learned[1], lambda _: folder)
    assert store.names() == []


def test_r15_a_worker_refuses_other_bytes_at_the_address(store: Objects, learned: Any) -> None:
    folder, digest = learned
    place = registry.put(store, digest, counted(folder)[0])
    whole = (folder / FILE).read_bytes()
    store.put(f"{digest}/{FILE}", whole[:-1] + b"\0")
    with pytest.raises(ModelRefused, match=f"{FILE} changed"):
        registry.opened(place)
    # What failed is not remembered.
    store.put(f"{digest}/{FILE}", whole)
    assert registry.opened(place).digest == digest


def test_the_plan_carries_an_address_and_the_worker_opens_it_once(
    store: Objects, learned: Any, make_table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, digest = learned
    place = registry.put(store, digest, counted(folder)[0])
    pickled = cloudpickle.dumps(predict.scorer(place))
    assert len(pickled) < 4096 < len((folder / FILE).read_bytes())
    table = make_table(50)
    expected = artifact.open_folder(folder, digest).score(table)["probability"].to_numpy()
    opened, real = [], artifact.open_folder
    monkeypatch.setattr(artifact, "open_folder", lambda *given: opened.append(1) or real(*given))
    batches = table.to_batches(max_chunksize=20)
    for _ in range(2):  # another plan of the same process
        score = cloudpickle.load(io.BytesIO(pickled))
        found = pa.Table.from_batches(score(iter(batches)))
        assert np.array_equal(found["probability"].to_numpy(), expected)
        assert found.drop_columns(["probability"]).equals(table)
    assert len(opened) == 1
