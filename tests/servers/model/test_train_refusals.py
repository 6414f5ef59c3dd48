"""What can't be learned is refused in words before a process is started; nothing is registered."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from models import families
from models.columns import Columns
from models.job import Job
from models.spec import ModelSpec
from models.tasks import Binary, Multiclass, Regression
from models.trees.settings import Trees
from pipelines.core.errors import MillraceError
from pipelines.core.registry import TRAIN
from pipelines.learning.train import job, record

NIGHT = "2026-11-20"
COLUMNS = Columns(numeric=("x",))
PLAIN = {"training": [0, 1], "validation": [0, 1], "evaluation": [0, 1]}


def learned(made: Any, tmp_path: Path, task: Any, labels: dict[str, list[Any]]) -> Any:
    parts = {
        name: pa.table({"x": [0.0] * len(values), "is_late": values})
        for name, values in labels.items()
    }
    spec = ModelSpec(columns=COLUMNS, task=task, settings=Trees())
    asked = Job(spec=spec, label="is_late", tables={}, folder=tmp_path)
    return job._learned(made.context(TRAIN, NIGHT), asked, parts)


@pytest.fixture(autouse=True)
def _no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def started(*_: Any, **__: Any) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(job.process, "run", started)


CLASSES = Multiclass(classes=("a", "b", "c"))
SEEN = {"training": ["a", "b"], "validation": ["a"], "evaluation": ["b"]}


@pytest.mark.parametrize(
    ("task", "labels", "said"),
    [
        (Binary(), {**PLAIN, "evaluation": [0, 2]}, "1 of 2 labels are neither 0 nor 1, the first"),
        (CLASSES, {**SEEN, "validation": ["d"]}, r"none of the classes a, b, c, .* row 0 \('d'\)"),
        (CLASSES, {**SEEN, "evaluation": ["c"]}, "c: seen among the rows .* never in training"),
        (Regression(), {**PLAIN, "training": [float("nan"), 1.0]}, "no finite numbers, the first"),
        (Regression(), {**PLAIN, "training": [3, 3]}, "every label to learn from is 3"),
        (Regression(), {**PLAIN, "training": ["much", "more"]}, "labels are string, not numbers"),
    ],
)
def test_a_label_that_can_not_be_learned_names_itself(
    made: Any, tmp_path: Path, task: Any, labels: Any, said: str
) -> None:
    with pytest.raises(MillraceError, match=rf"training of made_\w+\.late: .*{said}"):
        learned(made, tmp_path, task, labels)


def test_a_family_that_is_not_installed_says_what_it_needs(
    made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trees = families.find("trees")
    monkeypatch.setattr(type(trees), "requires", ("no_such_package",))
    monkeypatch.setattr(families, "find", families.find.__wrapped__)
    with pytest.raises(Exception, match="the family trees needs no_such_package, which is not"):
        learned(made, tmp_path, Binary(), PLAIN)


def test_an_answer_that_is_none_keeps_the_model_out_of_the_registry(
    made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Wrong:
        task = Binary()

        def score(self, rows: pa.Table) -> pa.Table:
            return self.task.checked(self.task.answered(rows["x"].to_numpy()[:, None] + 2))

    rows = pa.table({"x": [0.0], "is_late": [True], "day": [1]})
    with pytest.raises(MillraceError, match="the model is not registered: probability: the answer"):
        record._answered(made.context(TRAIN, NIGHT), Wrong(), rows)  # type: ignore[arg-type]
