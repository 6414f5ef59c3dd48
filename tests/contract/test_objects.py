"""Only the object layer opens what lies below the lake, the landing, the artifacts, the reports.

Two checks of the code's syntax, over every room that works with data:

1. Where those places are (`settings.objects`), and the home above them (`settings.home`), is read
   by the object layer and by the modules below, each for a reason of its own.
2. A module that can open a file of this machine at all, by whatever library, is listed below with
   what it opens. Without one of these it can only ask the object layer.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("pipelines/data", "pipelines/learning", "pipelines/insight", "pipelines/stores", "plugins")
LAYER = {"pipelines/stores/objects.py", "pipelines/stores/local_files.py"}

# Who else reads one of these settings, and why.
ADDRESSED = {
    "pipelines/stores/feast.py": {"home": "the online store of a machine without Redis"},
    "pipelines/insight/lineage/attempt.py": {"home": "OpenLineage's client appends its events"},
}

_READ = "a source's own files"
_SCRATCH = "a folder of this process' own"
_CODE = "files of the project"
# Who else can open a file, by what, and which.
OPENS = {
    "pipelines/data/extract/database.py": ({"pathlib"}, _READ),
    "pipelines/data/extract/files.py": ({"os", "pathlib"}, _READ),
}

_MODULES = {
    "deltalake", "fsspec", "glob", "pathlib", "pyarrow.csv", "pyarrow.dataset", "pyarrow.feather",
    "pyarrow.fs", "pyarrow.parquet", "shutil", "sqlite3", "tempfile",
}  # fmt: skip
_OS_WITHOUT_FILES = {"environ", "cpu_count", "getpid", "O_RDONLY"}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if name not in LAYER:
                yield name, ast.parse(path.read_text())


def settings_read(tree: ast.Module) -> set[str]:
    """Which of the settings that lead to files a module reads."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"objects", "home"}
    }


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
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == "open":
            found.add("open")
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id == "io" and node.attr in {"open", "FileIO"}:
                found.add("open")
            if node.value.id == "os" and node.attr not in _OS_WITHOUT_FILES:
                found.add("os")
            if node.value.id == "pd" and node.attr.startswith("read_"):
                found.add("pandas")
    return found


if __name__ == "__main__":
    for name, tree in modules():
        if ways(tree) or settings_read(tree):
            print(name, sorted(ways(tree)), settings_read(tree))
