"""Every family that is registered keeps the contract, or it is said in words what is missing."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path, PurePosixPath
from types import ModuleType, SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models import artifact, families
from models.blend.settings import Blend
from models.family import Family, Settings
from models.job import Job
from models.segments.settings import Segments
from models.spec import ModelSpec
from models.tabular_net.architecture import Architecture
from models.tabular_net.optimisation import Optimisation
from models.tabular_net.settings import TabularNet
from models.tasks import Ranking, Task
from models.tasks.bootstrap import Bootstrap
from models.tasks.task import units_of
from tests.model import forecasts, picks, toys
from tests.model.learning import COLUMNS, LABELS, TREES, made
from tests.model.toys import samples

ROOT = Path(__file__).parents[2]
NET = TabularNet(
    architecture=Architecture(hidden_size=16, num_members=2),
    optimisation=Optimisation(max_epochs=1, batch_rows=256),
)
TABLES = {name: made(num_rows, seed) for name, num_rows, seed in samples.PARTS}


def case(settings: Settings, label: str) -> samples.Sample:
    return samples.Sample(COLUMNS, LABELS[label], settings, label, TABLES)


def ahead(settings: Settings) -> samples.Sample:
    tables = {name: forecasts.made(num_rows // 3, seed) for name, num_rows, seed in samples.PARTS}
    return samples.Sample(forecasts.COLUMNS, forecasts.TASK, settings, "value", tables)


# A way to learn and to ask each family; a new family needs a line.
SAMPLES: Mapping[str, Callable[[], samples.Sample]] = {
    "tabular_net": lambda: case(NET, "kind"),
    "trees": lambda: case(TREES, "much"),
    "blend": lambda: case(Blend(members={"a": TREES, "b": TREES}), "yes"),
    "segments": lambda: case(Segments(column="d", member=TREES, num_rows_min=500), "much"),
    "two_stage": picks.sample,
    "seasonal_naive": lambda: ahead(forecasts.NAIVE),
    "linear_net": lambda: ahead(forecasts.NET),
    "reconciled": lambda: ahead(forecasts.SUMS),
    **samples.TOYS,
}


@pytest.fixture(autouse=True)
def _toys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    toys.register(monkeypatch.setitem)
    families.find.cache_clear()
    yield
    families.find.cache_clear()


def lacks(name: str) -> list[str]:
    """What a family still lacks, in words; nothing: it keeps the contract."""
    module = import_module(families.PACKAGES[name])
    family = getattr(module, "FAMILY", None)
    if not isinstance(family, Family):
        return [f"{module.__name__} has no FAMILY that is a models.family.Family"]
    checks = (_name(name, family), _settings(family), _files(family), _methods(family))
    said = [each for check in checks for each in check]
    return said if name in SAMPLES else [*said, f"{__name__}.SAMPLES has no line for {name}"]


def _name(name: str, family: Family) -> Iterator[str]:
    if getattr(family, "name", None) != name:
        yield f"FAMILY.name is {getattr(family, 'name', None)!r}, it is registered as {name!r}"


def _settings(family: Family) -> Iterator[str]:
    kind = getattr(family, "settings", None)
    if not (isinstance(kind, type) and issubclass(kind, Settings) and is_dataclass(kind)):
        yield "FAMILY.settings is no dataclass of models.family.Settings"
    elif getattr(kind, "family", None) != family.name:
        yield f"{kind.__name__}.family does not say {family.name!r}"
    elif not kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        yield f"{kind.__name__} is not frozen"


def _files(family: Family) -> Iterator[str]:
    files = getattr(family, "files", None)
    if not isinstance(files, Mapping) or not files:
        yield "FAMILY.files names no file of its artifact"
        return
    for pattern, size in files.items():
        path = PurePosixPath(pattern)
        if path.is_absolute() or ".." in path.parts or not path.suffix:
            yield f"FAMILY.files: {pattern!r} is no name with an ending, inside the folder"
        if not isinstance(size, int) or not 0 < size <= 2**40:
            yield f"FAMILY.files: {pattern!r} may have {size} bytes; give a number of them"
    if not all(isinstance(each, str) for each in family.requires):
        yield "FAMILY.requires holds no names of packages"


def _methods(family: Family) -> Iterator[str]:
    command = family.command(Path("/a/job.json"), num_processes=2)
    if command[:2] != [sys.executable, "-m"] or command[-1] != "/a/job.json":
        yield "FAMILY.command is not `python -m A.MODULE ... JOB`"
    if type(family).open is Family.open:
        yield "FAMILY.open is not written"


@pytest.mark.parametrize("name", [*families.PACKAGES, *toys.PACKAGES])
def test_every_family_keeps_the_contract(name: str) -> None:
    assert lacks(name) == []


class Careless(Family):
    """Keeps nothing of the contract but the type."""

    def command(self, job: Path, **_: int) -> list[str]:
        return ["learn", str(job)]

    def open(self, *given: Any, **how: Any) -> Any:
        raise NotImplementedError


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("careless")
    monkeypatch.setitem(sys.modules, "careless", module)
    monkeypatch.setitem(families.PACKAGES, "careless", "careless")
    assert lacks("careless") == ["careless has no FAMILY that is a models.family.Family"]
    module.FAMILY = Careless()  # type: ignore[attr-defined]
    assert lacks("careless") == [
        "FAMILY.name is None, it is registered as 'careless'",
        "FAMILY.settings is no dataclass of models.family.Settings",
        "FAMILY.files names no file of its artifact",
        "FAMILY.command is not `python -m A.MODULE ... JOB`",
        f"{__name__}.SAMPLES has no line for careless",
    ]
    module.FAMILY = SimpleNamespace(name="careless")  # type: ignore[attr-defined]
    assert lacks("careless") == ["careless has no FAMILY that is a models.family.Family"]
    careless = Careless()
    careless.name, careless.settings, careless.files = "careless", TabularNet, {"/x": 0, "*": 9}
    module.FAMILY = careless  # type: ignore[attr-defined]
    assert lacks("careless")[:-2] == [
        "TabularNet.family does not say 'careless'",
        "FAMILY.files: '/x' is no name with an ending, inside the folder",
        "FAMILY.files: '/x' may have 0 bytes; give a number of them",
        "FAMILY.files: '*' is no name with an ending, inside the folder",
    ]


@pytest.mark.parametrize("name", families.PACKAGES)
def test_a_spec_is_read_where_no_training_library_is(name: str) -> None:
    """A Dag's worker reads settings and asks for a command; neither costs the import of torch."""
    heavy = {"torch", "lightgbm", "onnx", "onnxruntime", "sklearn", "scipy", "mlflow", "matplotlib"}
    code = (
        "import sys; from models import families, spec, job; "
        f"families.find({name!r}); print(*sys.modules)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert heavy & set(found.stdout.split()) == set()


def environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1"}


def job_of(sample: samples.Sample, folder: Path) -> Job:
    spec = ModelSpec(columns=sample.columns, task=sample.task, settings=sample.settings)
    for name, table in sample.tables.items():
        pq.write_table(table, folder / f"{name}.parquet")
    tables = {name: folder / f"{name}.parquet" for name in sample.tables if name != "evaluation"}
    return Job(spec=spec, label=sample.label, tables=tables, folder=folder)


def learn(job: Job) -> subprocess.CompletedProcess[str]:
    path = job.folder / "job.json"
    job.write(path)
    command = families.find(job.spec.settings.family).command(path, num_processes=1)
    return subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", SAMPLES)
def test_a_family_learns_and_is_asked(name: str, tmp_path: Path) -> None:
    sample = SAMPLES[name]()
    job = job_of(sample, tmp_path)
    assert ModelSpec.from_json(json.loads(json.dumps(job.spec.to_json()))) == job.spec
    ended = learn(job)
    assert ended.returncode == 0, ended.stderr
    assert set(job.result) <= {"history", "facts", "members"}
    assert not (tmp_path / "failure.json").exists()
    digest = job.seal()
    assert job.seal() == digest
    model = artifact.open_folder(job.artifact, digest)
    assert set(job.spec.columns.inputs) <= set(model.scorer.asked.names)
    assert model.scorer.answer == sample.task.answer
    judge(model, sample.task, sample.tables["evaluation"], sample.label)
    model.close()


def judge(model: artifact.Model, task: Task, table: pa.Table, label: str) -> None:
    """As a gate does: answers, evidence, every metric, and how sure it is."""
    assert model.score(table.slice(0, 0)).num_rows == 0
    answer = model.score(table)
    again = model.score(table.select(table.column_names[::-1]))
    assert again.equals(answer)
    evidence = task.evidence(label, table, answer, units_of(table, task.unit))
    assert evidence.answer_BO.shape == (table.num_rows, task.num_outputs)
    # What is relevant says nothing of which items they are.
    assert isinstance(task, Ranking) or task.answered(evidence.answer_BO).equals(answer)
    found = task.scores(evidence)
    for metric in task.metrics:
        interval = Bootstrap(num_draws=100).interval(metric, evidence)
        assert interval is not None, metric.name
        assert found[metric.name] == interval.estimate
        assert interval.low <= interval.estimate <= interval.high
    gain = Bootstrap(num_draws=20).gain(task.metric(), evidence, evidence)
    assert gain is not None
    assert (gain.low, gain.high) == (0, 0)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_family_that_can_not_learn_says_why(name: str, tmp_path: Path) -> None:
    sample = SAMPLES[name]()
    job = job_of(sample, tmp_path)
    pq.write_table(sample.tables["training"].slice(0, 0), tmp_path / "training.parquet")
    ended = learn(job)
    assert ended.returncode == 1
    failure = json.loads((tmp_path / "failure.json").read_text())
    assert set(failure) == {"error", "message"}
    assert "rows" in failure["message"]
    assert not (tmp_path / "result.json").exists()


@pytest.mark.parametrize("name", SAMPLES)
def test_a_family_refuses_other_tasks_in_words(name: str) -> None:
    sample = SAMPLES[name]()
    others = {
        "ordering": samples.ordering,
        "trend": samples.trend,
        "ranking": picks.sample,
    }
    for other in (make() for task, make in others.items() if task != sample.task.name):
        refused = families.find(name).refusal(other.task, other.columns, sample.settings)
        assert refused, (name, other.task.name)
        assert len(refused.split()) > 3
