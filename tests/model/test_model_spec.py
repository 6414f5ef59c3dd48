"""A spec refuses what can't work, in words, and survives a file."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.blend.settings import Blend
from models.columns import Columns
from models.errors import FamilyMissing
from models.family import Settings
from models.flight_delays import MODELS
from models.job import Job
from models.segments.settings import Segments
from models.spec import ModelSpec
from models.tabular_net.architecture import Architecture
from models.tabular_net.checkpoint import Checkpoints
from models.tabular_net.optimisation import Optimisation
from models.tabular_net.preprocess import Preprocessing
from models.tabular_net.settings import TabularNet
from models.tasks import Binary, Multiclass, Regression, Task
from models.trees.settings import Trees

NUMBERS = Columns(numeric=("x", "y"), categorical=("c",))
NET, TREES = TabularNet(), Trees(num_rounds=7)
SETTINGS: list[Settings] = [
    NET,
    replace(NET, optimisation=Optimisation(seed=3), preprocessing=Preprocessing(num_bins=5)),
    TREES,
    Blend(members={"one": NET, "two": TREES}),
    Segments(column="c", member=TREES, num_rows_min=5),
    Segments(column="c", member=Blend(members={"a": TREES, "b": NET})),
    Blend(members={"a": Segments(column="c", member=TREES), "b": Trees(seed=2), "c": NET}),
]
TASKS: list[Task] = [
    Binary(),
    Binary(unit=("origin", "day"), num_class_rows_min=3),
    Multiclass(classes=("low", "mid", "high")),
    Regression(coverage=0.9, num_rows_min=5),
]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: settings.family)
def test_a_spec_survives_a_file(settings: Settings, task: Task) -> None:
    spec = ModelSpec(columns=NUMBERS, task=task, settings=settings)
    read = ModelSpec.from_json(json.loads(json.dumps(spec.to_json())))
    assert read == spec
    assert type(read.settings) is type(settings)


@pytest.mark.parametrize("spec", MODELS.values(), ids=str)
def test_the_models_of_the_first_case_survive_a_file(spec: ModelSpec) -> None:
    assert ModelSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda settings: settings.family)
def test_a_job_survives_a_file(settings: Settings, tmp_path: Path) -> None:
    job = Job(
        spec=ModelSpec(columns=NUMBERS, task=Regression(), settings=settings),
        label="minutes",
        tables={"training": tmp_path / "t.parquet", "validation": tmp_path / "v.parquet"},
        folder=tmp_path,
        bases={"encoder": tmp_path / "encoder"},
        device="cuda",
        num_processes=3,
        num_threads=2,
        timeout_seconds=7.5,
    )
    job.write(tmp_path / "job.json")
    assert Job.read(tmp_path / "job.json") == job


def test_a_label_that_is_an_input_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"Job\.label: 'x' is an input, too; leave it out of"):
        Job(spec=spec(Binary(), NET), label="x", tables={}, folder=tmp_path)


def spec(task: Task, settings: Settings, columns: Columns = NUMBERS) -> ModelSpec:
    return ModelSpec(columns=columns, task=task, settings=settings)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Columns(numeric=()), "Columns: there are none; name at least one"),
        (lambda: Columns(numeric=("a", "b"), categorical=("a",)), r"\['a'\] occur twice"),
        (lambda: Columns(categorical=("a", "a")), r"\['a'\] occur twice"),
        (lambda: Architecture(num_members=0), "Architecture.num_members: 0 is below 1; give"),
        (lambda: Preprocessing(num_bins=0), "Preprocessing.num_bins: 0 is below 1; give"),
        (lambda: Optimisation(batch_rows=0), "Optimisation.batch_rows: 0 is no use; give 1"),
        (lambda: Optimisation(learning_rate=float("nan")), "learning_rate: nan is no use"),
        (lambda: Optimisation(hidden_numeric_rate=1), "hidden_numeric_rate: 1 is no use"),
        (lambda: Checkpoints(None, 0), "Checkpoints.every_steps: 0 is below 1"),  # type: ignore[arg-type]
        (lambda: TabularNet(checkpoint_every_steps=0), "checkpoint_every_steps: 0 is below 1"),
        (lambda: Trees(num_leaves=1), "Trees.num_leaves: 1 is no use; give 2 or more"),
        (lambda: Trees(patience=0), "Trees.patience: 0 is no use; give 1 or more"),
        (lambda: Trees(row_share=float("nan")), "Trees.row_share: nan is no use; give a share"),
        (lambda: Trees(l2=-1), "Trees.l2: -1 is no use; give 0 or more"),
        (lambda: Blend(members={"one": TREES}), r"\['one'\] are too few; give two or more"),
        (lambda: Blend(members={"one": NET, "../two": NET}), r"\['../two'\] are no identifiers"),
        (lambda: Segments(column="c", member=TREES, num_rows_min=0), "num_rows_min: 0 is below 1"),
        (lambda: Multiclass(classes=("a",)), "are not two or more different classes"),
        (lambda: Multiclass(classes=("a", "a")), "are not two or more different classes"),
        (lambda: Regression(coverage=1), "Regression.coverage: 1 is not between 0 and 1"),
        (lambda: Regression(coverage=float("nan")), "coverage: nan is not between 0 and 1"),
        (
            lambda: spec(Binary(), NET, Columns(categorical=("c",))),
            "ModelSpec: a tabular_net needs at least one number column",
        ),
        (
            lambda: spec(Binary(), Segments(column="c", member=TREES), Columns(numeric=("x",))),
            "Segments.column: 'c' is no categorical column of the model; it has none",
        ),
        (
            lambda: spec(Binary(), Segments(column="d", member=TREES)),
            "Segments.column: 'd' is no categorical column of the model; it has c",
        ),
        (
            lambda: spec(
                Binary(), Blend(members={"a": TREES, "b": NET}), Columns(categorical=("c",))
            ),
            "member b: a tabular_net needs at least one number column",
        ),
        (
            lambda: spec(
                Binary(), Segments(column="c", member=NET), Columns(categorical=("c",))
            ),
            "a tabular_net needs at least one number column",
        ),
    ],
)  # fmt: skip
def test_a_value_that_cannot_work_is_named(make: Callable[[], object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        make()


def changed(values: dict[str, Any], *place: str, **new: Any) -> dict[str, Any]:
    """A copy with fields added to the value at a place."""
    if not place:
        return {**values, **new}
    return {**values, place[0]: changed(values[place[0]], *place[1:], **new)}


@pytest.mark.parametrize(
    ("place", "new", "says"),
    [
        (("settings", "optimisation"), {"dropout": 1}, r"fields \['dropout'\] are missing or"),
        (("settings",), {"family": "forest"}, "no family 'forest'; there is tabular_net, trees"),
        (("task",), {"name": "ranks"}, "no task 'ranks'; there is binary, forecast, multiclass"),
        (("task",), {"coverage": 0.9}, r"Binary: fields \['coverage'\] are missing or unknown"),
        (("columns",), {"label": "x"}, r"Columns: fields \['label'\] are missing or unknown"),
        (("settings", "optimisation"), {"batch_rows": 0}, "Optimisation.batch_rows: 0 is no use"),
        ((), {"name": "late"}, r"ModelSpec: fields \['name'\] are missing or unknown"),
    ],
)
def test_an_unknown_or_wrong_field_of_a_file_is_named(
    place: tuple[str, ...], new: dict[str, Any], says: str
) -> None:
    values = spec(Binary(), NET).to_json()
    with pytest.raises((ValueError, FamilyMissing), match=says):
        ModelSpec.from_json(changed(values, *place, **new))


@pytest.mark.parametrize("name", ["columns", "task", "settings"])
def test_a_missing_field_of_a_file_is_named(name: str) -> None:
    values = spec(Binary(), NET).to_json()
    del values[name]
    with pytest.raises(ValueError, match=rf"ModelSpec: fields \['{name}'\] are missing or"):
        ModelSpec.from_json(values)


@pytest.mark.parametrize("settings", SETTINGS[3:], ids=lambda settings: settings.family)
def test_an_unknown_field_of_a_family_of_members_is_named(settings: Settings) -> None:
    values = changed(spec(Binary(), settings).to_json(), "settings", depth=3)
    with pytest.raises(ValueError, match=r"fields \['depth'\] are missing or unknown"):
        ModelSpec.from_json(values)


@pytest.mark.parametrize("settings", SETTINGS[3:], ids=lambda settings: settings.family)
def test_a_missing_member_is_named(settings: Settings) -> None:
    values = spec(Binary(), settings).to_json()
    name = "members" if settings.family == "blend" else "member"
    del values["settings"][name]
    with pytest.raises(ValueError, match=rf"fields \['{name}'\] are missing or unknown"):
        ModelSpec.from_json(values)


def test_the_learning_rate_rises_then_falls_to_nothing() -> None:
    options = Optimisation(learning_rate=1.0, warmup_steps=4, max_epochs=2)
    rates = [options.learning_rate_at(step, 8) for step in range(16)]
    assert rates[0] == pytest.approx(0.25)
    assert max(rates) == rates[3] == pytest.approx(0.9157, abs=1e-4)
    assert rates[-1] == pytest.approx(0.0096, abs=1e-4)
