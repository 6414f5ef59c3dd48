"""Only the object layer opens what lies below the lake, the landing, the artifacts, the reports.

Three checks of the code's syntax, over every room that works with data:

1. What leads to those places, `settings.objects` and the home above them, is read by the object
   layer alone; who reads something like it is listed, with the reason.
2. A module that can open a file of this machine at all, by whatever library, is listed with what it
   opens. A module that is not can only ask the object layer.
3. No store is made from a text, but where a worker is given its address.

A list that says more than the code does fails, too.
"""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("pipelines/data", "pipelines/learning", "pipelines/insight", "pipelines/stores", "plugins")
LAYER = {"pipelines/stores/objects.py", "pipelines/stores/local_files.py"}

# Attributes that lead to a path: of the settings, and of a store itself.
_LEADS = {"home", "objects", "root", "scratch"}
# Who else reads one of them, and why.
LED: Mapping[str, Mapping[str, str]] = {
    "pipelines/learning/train/job.py": {"scratch": "the processes of a training share a folder"},
    "pipelines/insight/lineage/attempt.py": {
        "home": "OpenLineage's client appends to a file of events",
        "root": "events name the landing, and open nothing",
    },
    "pipelines/insight/summary.py": {"root": "people are told where the reports are"},
    "pipelines/stores/dbt.py": {"scratch": "dbt compiles into a folder of its own"},
    "pipelines/stores/feast.py": {"home": "the online store of a machine without Redis"},
}

_SOURCES = "pipelines/data/extract/sources/"  # each reads another system's files, as it must
_CHECKS = "a source's paths, which are checked against the allowed folders"
_GIVEN = "the stream that the caller opened"
_WRITES = "the scratch file that it is given"
_PROJECT = "files of the project"
_ONLINE = "the online store without Redis"
_SCRATCH = "a folder that is gone when it returns"
_FOLDER = {"pathlib", "pyarrow.parquet", "shutil", "tempfile"}
# Who can open a file, by what, and which it opens.
OPENS: Mapping[str, tuple[set[str], str]] = {
    "pipelines/data/extract/database.py": ({"pathlib"}, _CHECKS),
    "pipelines/data/extract/database_connection.py": ({"pathlib", "sqlite3"}, _CHECKS),
    "pipelines/data/extract/files.py": ({"os", "pathlib"}, _CHECKS),
    "pipelines/data/extract/frames.py": ({"pathlib"}, _WRITES),
    "pipelines/data/extract/spool.py": (_FOLDER, "a folder that goes with the rows in it"),
    "pipelines/data/extract/tables.py": (_FOLDER, "the rows' folder, and the file that is asked"),
    "pipelines/data/extract/taken.py": ({"pyarrow.parquet"}, "Parquet in memory"),
    "pipelines/data/landing.py": ({"pathlib", "tempfile"}, _SCRATCH),
    "pipelines/data/reading/arrow_files.py": ({"open", "pyarrow.parquet"}, _GIVEN),
    "pipelines/data/reading/delimited.py": ({"open"}, _GIVEN),
    "pipelines/data/reading/delta_folder.py": ({"deltalake", "open"}, "a log, and what it names"),
    "pipelines/data/reading/excel.py": ({"open"}, _GIVEN),
    "pipelines/data/reading/files.py": ({"pathlib"}, _CHECKS),
    "pipelines/data/reading/in_bulk.py": ({"pyarrow.csv"}, "CSV in memory"),
    "pipelines/data/reading/json_text.py": ({"open"}, _GIVEN),
    "pipelines/data/reading/listing.py": ({"pathlib", "pyarrow.fs"}, _CHECKS),
    "pipelines/data/reading/paths.py": ({"pathlib"}, _CHECKS),
    "pipelines/data/reading/rows.py": ({"pyarrow.parquet"}, "Parquet in memory"),
    "pipelines/data/transform/docs.py": ({"pathlib"}, "the page that dbt generated"),
    "pipelines/data/validate/job.py": ({"pathlib", "tempfile"}, _SCRATCH),
    "pipelines/insight/lineage/emit.py": ({"pathlib"}, "where OpenLineage's client appends"),
    "pipelines/insight/lineage/events.py": ({"pathlib"}, _PROJECT),
    "pipelines/insight/lineage/kept.py": ({"pathlib"}, _PROJECT),
    "pipelines/insight/statistics.py": ({"pyarrow.dataset"}, "the table that the caller opened"),
    "pipelines/learning/monitor/job.py": ({"pyarrow.parquet"}, "Parquet in memory"),
    "pipelines/learning/refresh.py": ({"pathlib", "tempfile"}, _SCRATCH),
    "pipelines/learning/registry.py": ({"pathlib", "tempfile"}, _SCRATCH),
    "pipelines/learning/tables.py": ({"pathlib", "pyarrow.parquet"}, "a folder that it is given"),
    "pipelines/learning/train/flavour.py": ({"pathlib", "tempfile"}, f"{_SCRATCH}; {_PROJECT}"),
    "pipelines/learning/train/job.py": ({"pathlib", "pyarrow.parquet"}, "the training's folder"),
    "pipelines/learning/train/process.py": ({"pathlib"}, "the training's folder"),
    "pipelines/learning/train/pictures.py": ({"pathlib"}, _WRITES),
    "pipelines/learning/train/record.py": (
        {"pathlib", "pyarrow.parquet", "shutil", "tempfile"},
        "the training's folder, and one that is gone when it returns",
    ),
    "pipelines/stores/asof.py": ({"tempfile"}, _SCRATCH),
    "pipelines/stores/compiled.py": ({"pathlib"}, _PROJECT),
    "pipelines/stores/feast.py": ({"pathlib"}, _ONLINE),
    "pipelines/stores/feast_online.py": ({"pathlib"}, _ONLINE),
    "pipelines/stores/dbt.py": ({"pathlib"}, "where dbt compiles and logs"),
    "pipelines/stores/gx.py": ({"pathlib"}, "the folder of one run of Great Expectations"),
    "pipelines/stores/gx_docs.py": ({"pathlib", "tempfile"}, _SCRATCH),
    "pipelines/stores/lake.py": ({"deltalake"}, "the lake's tables at their addresses"),
    "pipelines/stores/mlflow.py": ({"pathlib", "tempfile"}, _SCRATCH),
    "pipelines/stores/online_sqlite.py": ({"pathlib", "sqlite3"}, _ONLINE),
    "pipelines/stores/spark.py": ({"pathlib", "pyarrow.parquet", "tempfile"}, _SCRATCH),
    "plugins/millrace_pages/answered.py": ({"pyarrow.dataset"}, "a table that lake.py opened"),
    "plugins/millrace_pages/quarantined.py": ({"deltalake"}, "a table that lake.py opened"),
    "plugins/millrace_pages/site.py": ({"pathlib"}, _PROJECT),
}
# Who makes a store from an address.
MADE = {"pipelines/learning/registry.py", "pipelines/stores/lake.py"}

_MODULES = {
    "deltalake", "fsspec", "glob", "pathlib", "pyarrow.csv", "pyarrow.dataset", "pyarrow.feather",
    "pyarrow.fs", "pyarrow.parquet", "shutil", "sqlite3", "tempfile",
}  # fmt: skip
_OS_WITHOUT_FILES = {"environ", "cpu_count"}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if name not in LAYER:
                yield name, ast.parse(path.read_text())


def leads(tree: ast.Module) -> set[str]:
    """Which of the attributes that lead to a path a module reads."""
    read = (node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute))
    return _LEADS.intersection(read)


def makes_a_store(tree: ast.Module) -> bool:
    """Whether a module calls `Objects.at(...)`, or `Objects(...)` itself."""
    called = (ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call))
    return not {"Objects", "Objects.at", "objects.Objects", "objects.Objects.at"}.isdisjoint(called)


def imported(tree: ast.Module) -> Iterator[str]:
    """What a module imports, with each name that it takes from it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{each.name}" for each in node.names)


def ways(tree: ast.Module) -> set[str]:
    """By what a module can open a file of this machine."""
    found = {
        way
        for name in imported(tree)
        for way in _MODULES
        if f"{name}.".startswith(f"{way}.") and not name.startswith("pathlib.Pure")
    }
    named = (node for node in ast.walk(tree) if isinstance(node, ast.Name | ast.Attribute))
    used = [*map(ast.unparse, named), *imported(tree)]
    return found | {way for name in used if (way := _opener(name))}


def _opener(name: str) -> str | None:
    """The way of a function that opens a file without a module of its own, such as `os.open`."""
    module, _, function = name.rpartition(".")
    if name in {"open", "io.open", "io.FileIO"}:
        return "open"
    if module == "os" and function not in _OS_WITHOUT_FILES:
        return "os"
    return "pandas" if module in {"pd", "pandas"} and function.startswith("read_") else None


def test_only_the_object_layer_knows_where_things_are() -> None:
    found = {name: leads(tree) for name, tree in modules() if leads(tree)}
    assert found == {name: set(reasons) for name, reasons in LED.items()}


def test_who_can_open_a_file_is_listed_with_what_it_opens() -> None:
    found = {
        name: ways(tree) for name, tree in modules() if ways(tree) and not name.startswith(_SOURCES)
    }
    assert found == {name: by for name, (by, _) in OPENS.items()}


def test_a_store_is_made_by_the_object_layer() -> None:
    assert {name for name, tree in modules() if makes_a_store(tree)} == MADE


@pytest.mark.parametrize(
    "text",
    [
        "import pathlib",
        "from pathlib import Path",
        "from pathlib import PurePath, Path",
        "import pyarrow.parquet as pq",
        "from pyarrow import parquet",
        "from pyarrow import fs",
        "import fsspec.core",
        "from fsspec import filesystem",
        "def f():\n    import shutil",
        "x = open(name)",
        "import os\nx = os.open(name, 0)",
        "import os\nx = os.path.join(a, b)",
        "from os import path",
        "from io import FileIO",
        "import io\nx = io.open(name)",
        "import pandas as pd\nx = pd.read_parquet(name)",
    ],
)
def test_each_way_to_a_file_is_seen(text: str) -> None:
    assert ways(ast.parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "from pathlib import PurePosixPath",
        "import os\nx = os.environ['A']",
        "from os import environ",
        "x = store.open(name)",
        "import pyarrow as pa\nx = pa.table({})",
    ],
)
def test_what_opens_no_file_is_none(text: str) -> None:
    assert not ways(ast.parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "settings.home / 'lake'",
        "context.settings.objects.landing",
        "f'{objects.reports(settings).root}/a'",
        "settings.scratch('lake')",
    ],
)
def test_each_lead_is_seen(text: str) -> None:
    assert leads(ast.parse(text))


def test_a_store_made_elsewhere_is_seen() -> None:
    assert makes_a_store(ast.parse("x = Objects.at(address).read_text(name)"))
    assert makes_a_store(ast.parse("x = objects.Objects(root, files)"))
    assert not makes_a_store(ast.parse("x = objects.reports(settings)"))
