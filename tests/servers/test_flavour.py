"""A registered model for others: MLflow loads and serves it where there is no Millrace."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models import artifact, families
from models.columns import Columns
from models.job import Job
from models.spec import ModelSpec
from models.tasks import Binary, Multiclass, Regression
from models.trees.settings import Trees
from pipelines.learning.train import flavour

SEED = 11
COLUMNS = Columns(numeric=("distance", "wind"), categorical=("carrier",))
TASKS = {
    "is_late": Binary(),
    "minutes": Regression(),
    "kind": Multiclass(classes=("early", "on time", "late")),
}
# The packages of this environment without what its .pth files add, which is Millrace.
PACKAGES = next(path for path in sys.path if path.endswith("site-packages"))
LOAD = """
import json, sys, mlflow, pandas as pd
model = mlflow.pyfunc.load_model(sys.argv[1])
answers = model.predict(pd.read_parquet(sys.argv[2]))
known = [name for name in ("pipelines", "models", "torch") if name in sys.modules]
print(json.dumps({"answers": answers.to_dict("list"), "known": known}))
"""


def rows(num_rows: int, seed: int = SEED) -> pa.Table:
    rng = np.random.default_rng(seed)
    wind, carrier = rng.normal(size=num_rows), rng.choice(["AA", "B6", "UA"], num_rows)
    minutes = 10 * wind + 15 * (carrier == "B6") + rng.normal(size=num_rows)
    kind = np.select([minutes < -5, minutes < 15], ["early", "on time"], "late")
    return pa.table(
        {
            "distance": pa.array(rng.uniform(100, 900, num_rows), mask=rng.random(num_rows) < 0.1),
            "wind": wind,
            "carrier": pa.array(carrier, mask=rng.random(num_rows) < 0.1),
            "is_late": minutes > 15,
            "minutes": minutes,
            "kind": kind,
        }
    )


@pytest.fixture(scope="module")
def alien(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """How to start Python where Millrace is not, and a folder that is not the project's."""
    folder = tmp_path_factory.mktemp("elsewhere")
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = {**kept, "PYTHONPATH": PACKAGES, "PYTHONDONTWRITEBYTECODE": "1"}
    return {"cwd": folder, "env": environment}


@pytest.fixture(scope="module", params=TASKS)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One learned model of each task: what the platform opens, and MLflow's folder of it."""
    print(f"seed {SEED}")
    label, task = request.param, TASKS[request.param]
    folder = tmp_path_factory.mktemp(label)
    settings = Trees(num_rounds=30, min_rows=20, min_category_rows=1)
    job = Job(
        spec=ModelSpec(columns=COLUMNS, task=task, settings=settings),
        label=label,
        tables={name: folder / f"{name}.parquet" for name in ("training", "validation")},
        folder=folder,
    )
    for place, path in enumerate(job.tables.values()):
        pq.write_table(rows(2000, SEED + place), path)
    job.write(folder / "job.json")
    command = families.find(settings.family).command(folder / "job.json", num_processes=1)
    subprocess.run(command, check=True, capture_output=True)
    opened = artifact.open_folder(job.artifact, job.seal())
    flavour.write(folder / "model", job.artifact, opened)
    return opened, folder / "model"


def asked() -> pd.DataFrame:
    """Missing values and a category that nobody has seen among them."""
    frame = rows(200, SEED + 9).select(COLUMNS.inputs).to_pandas()
    frame.loc[0, "carrier"] = "never seen"
    return frame


def expected(opened: artifact.Model) -> dict[str, Any]:
    table = pa.Table.from_pandas(asked(), preserve_index=False)
    answers: dict[str, Any] = opened.score(table).to_pydict(maps_as_pydicts="strict")
    return answers


def equal(found: Mapping[str, Any], answers: Mapping[str, Any]) -> None:
    assert list(found) == list(answers)
    for name, values in answers.items():
        if isinstance(values[0], float):
            np.testing.assert_allclose(found[name], values, rtol=0, atol=1e-6)
        elif isinstance(values[0], dict):
            for one, other in zip(found[name], values, strict=True):
                assert one == pytest.approx(other, abs=1e-6)
        else:
            assert found[name] == values


def test_it_is_loaded_by_somebody_who_has_no_millrace(model: Any, alien: Mapping[str, Any]) -> None:
    opened, folder = model
    asked().to_parquet(alien["cwd"] / "rows.parquet")
    base = getattr(sys, "_base_executable", sys.executable)
    lacks = subprocess.run(
        [base, "-c", "import pipelines"], check=False, capture_output=True, **alien
    )
    assert b"No module named 'pipelines'" in lacks.stderr
    words = [base, "-W", "ignore", "-c", LOAD, str(folder), "rows.parquet"]
    said = subprocess.run(words, check=False, capture_output=True, text=True, **alien)
    assert said.returncode == 0, said.stderr
    found = json.loads(said.stdout.splitlines()[-1])
    equal(found["answers"], expected(opened))
    assert found["known"] == []


@pytest.fixture
def served(model: Any, alien: Mapping[str, Any]) -> Iterator[str]:
    """`mlflow models serve` on a port of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    base = getattr(sys, "_base_executable", sys.executable)
    words = ["-m", "mlflow", "models", "serve", "--model-uri", str(model[1])]
    place = ["--host", "127.0.0.1", "--port", str(port), "--env-manager", "local"]
    bin_folder = str(Path(sys.executable).parent)
    environment = {**alien["env"], "PATH": f"{bin_folder}:{alien['env'].get('PATH', '')}"}
    with (alien["cwd"] / "serve.log").open("wb") as log:
        server = subprocess.Popen(
            [base, *words, *place],
            cwd=alien["cwd"],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield _up(f"http://127.0.0.1:{port}", server, alien["cwd"] / "serve.log")
        finally:
            os.killpg(server.pid, 15)
            server.wait(20)


def _up(address: str, server: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(f"{address}/ping").is_success:
                return address
        except httpx.TransportError:
            time.sleep(0.5)
    raise AssertionError(f"mlflow models serve is not up: {log.read_text()[-3000:]}")


def test_it_is_served_with_the_inputs_names(model: Any, served: str) -> None:
    frame = asked()
    body = {"dataframe_split": json.loads(frame.to_json(orient="split", index=False))}
    said = httpx.post(f"{served}/invocations", json=body, timeout=60)
    assert said.status_code == 200, said.text
    answers = said.json()["predictions"]
    found = {name: [each[name] for each in answers] for name in answers[0]}
    equal(found, expected(model[0]))
    lacking = {"dataframe_records": [{"wind": "strong"}]}
    refused = httpx.post(f"{served}/invocations", json=lacking, timeout=60)
    assert refused.status_code == 400
    assert "wind" in refused.text


def test_the_signature_is_the_answers_schema(model: Any) -> None:
    opened, folder = model
    from mlflow.models import get_model_info

    signature = get_model_info(str(folder)).signature
    assert signature.inputs.input_names() == list(COLUMNS.inputs)
    assert not any(column.required for column in signature.inputs.inputs)
    assert [column.name for column in signature.outputs.inputs] == opened.task.answer.names


def test_nothing_in_it_is_pickled(model: Any) -> None:
    _, folder = model
    names = {path.suffix for path in folder.rglob("*") if path.is_file()}
    assert names <= {"", ".yaml", ".txt", ".json", ".py"}
    assert "python_model" not in (folder / "MLmodel").read_text()
