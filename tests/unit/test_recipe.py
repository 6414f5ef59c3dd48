"""The recipes hold: a family and a case of its own, made in a copy by what the pages say alone."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipelines.core.settings import ROOT
from tests import made_tables
from tests.made_cases import call, files

FAMILY, CASE = "shifted_naive", "loads"
TOY = Path("tests/model/toys") / FAMILY
DAYS_OF_IT = [date(2026, 11, 21) - timedelta(days=back) for back in range(70, 0, -1)]
# Step 5, and the line of the family's own test: docs/add_a_model_family.md.
LINES: Mapping[str, tuple[str, str]] = {
    "models/families.py": ("PACKAGES = {\n", f'    "{FAMILY}": "models.{FAMILY}",\n'),
    "tests/model/test_family_contract.py": (
        "    **samples.TOYS,\n",
        f'    "{FAMILY}": lambda: samples.Sample(\n'
        "        COLUMNS, Forecast(naive=COLUMNS.numeric[0]), ShiftedNaive(), 'much', TABLES\n"
        "    ),\n",
    ),
}
IMPORTS = (
    "from models.spec import ModelSpec\n",
    f"from models.{FAMILY}.settings import ShiftedNaive\n",
    "from models.tasks.forecast import Forecast\n",
)
# What Airflow parses.
DAGS = "build_features", "train_model", "predict_batch", "watch_drift"
PARSED = f"""
import sys
from importlib import import_module
sys.path.insert(0, "dags")
from pipelines.use_cases import find
case = find("{CASE}")
for name in {DAGS}:
    make = getattr(import_module(name), name)
    print((make(case) if name == "build_features" else make(case, case.model())).dag_id)
"""


@dataclass(frozen=True)
class Copy:
    """The project, and its files before anything was added."""

    folder: Path
    before: Mapping[str, str]

    def run(self, *words: str) -> str:
        environment = os.environ | {"PYTHONPATH": str(self.folder)}
        ended = subprocess.run(
            words, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-3000:]
        return ended.stdout

    def pytest(self, *words: str) -> str:
        plain = ("-q", "-p", "no:cacheprovider", "--noconftest")
        return self.run(sys.executable, "-m", "pytest", *plain, *words)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy of the project with a new family, and a new case that learns by it."""
    base = tmp_path_factory.mktemp("recipe")
    project = base / "project"
    for room in ("dags", "pipelines", "features", "models", "expectations", "tests"):
        ignored = shutil.ignore_patterns("__pycache__", "golden", "servers", "platform")
        shutil.copytree(ROOT / room, project / room, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", project)
    made = Copy(project, files(project))
    _add_family(made.folder)
    _add_case(made.folder, base / "load.csv")
    return made


def _add_family(project: Path) -> None:
    package = project / "models" / FAMILY
    shutil.copytree(project / TOY, package)
    for path in package.glob("*.py"):
        path.write_text(path.read_text().replace("tests.model.toys.", "models."))
    for path, (place, line) in LINES.items():
        # Before the last of the tests' samples, after the head of the registry.
        is_head = path.startswith("models")
        _replace(project / path, place, place + line if is_head else line + place)
    _replace(project / "tests/model/test_family_contract.py", IMPORTS[0], "".join(IMPORTS))


def _add_case(project: Path, table: Path) -> None:
    """By the command; then its family is another one, as the recipe says."""
    made_tables.write(made_tables.loads(DAYS_OF_IT), table)
    asked = ("--key", "Station,Hour", "--event-time", "Hour", "--label", "Load (MW)")
    words = ("--from", str(table), "--task", "forecast", *asked, "--into", str(project))
    assert f'"case": "{CASE}"' in call("new", CASE, *words)
    _replace(project / f"pipelines/use_cases/{CASE}.py", 'family="trees"', f'family="{FAMILY}"')
    models = project / f"models/{CASE}.py"
    _replace(models, "models.trees.settings import Trees", f"models.{FAMILY}.settings import X")
    text = models.read_text().replace("import X", "import ShiftedNaive")
    head, _, settings = text.partition("settings=Trees(")
    _, _, rest = settings.partition("\n        ),\n")
    models.write_text(f"{head}settings=ShiftedNaive(),\n{rest}")


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, (path, old)
    path.write_text(text.replace(old, new))


def test_the_family_keeps_the_contract(copy: Copy) -> None:
    said = copy.pytest("tests/model/test_family_contract.py", "-k", FAMILY)
    # The contract, the light import, what it learns and is asked, what it refuses.
    assert "5 passed" in said, said


def test_the_case_is_whole_and_its_dags_are_parsed(copy: Copy) -> None:
    contracts = ("dbt", "model_inputs", "sources", "expectations", "features")
    paths = [f"tests/contract/test_{name}.py" for name in contracts]
    said = copy.pytest(*paths, f"tests/unit/test_{CASE}.py", "-k", CASE)
    assert " passed" in said
    found = copy.run(sys.executable, "-c", PARSED)
    assert found.split()[-len(DAGS) :] == [f"{CASE}.{name}" for name in DAGS]


def test_nothing_else_of_the_tree_was_edited(copy: Copy) -> None:
    after = files(copy.folder)
    changed = {path for path in copy.before if after.get(path) != copy.before[path]}
    assert changed == set(LINES)
    rooms = ("pipelines/use_cases", "pipelines/data/extract/sources", "expectations", "features")
    dbt = f"pipelines/data/transform/dbt/models/{CASE}/"
    own = {f"{room}/{CASE}.py" for room in (*rooms, "models")} | {f"tests/unit/test_{CASE}.py"}
    for path in set(after) - set(copy.before):
        kept = (f"models/{FAMILY}/", dbt, f"tests/golden/{CASE}_")
        assert path in own or path.startswith(kept), path
