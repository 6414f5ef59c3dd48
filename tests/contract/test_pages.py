"""What the section of Airflow's UI may touch, load, and cost the processes of Airflow."""

import ast
import os
import re
import subprocess
import sys

import pytest
from airflow._shared.plugins_manager.plugins_manager import _load_plugins_from_plugin_directory

from pipelines.core.registry import STAGES
from pipelines.core.settings import ROOT

PLUGINS = ROOT / "plugins"
PAGES = PLUGINS / "millrace_pages"
HEAVY = (
    "dbt",
    "evidently",
    "feast",
    "great_expectations",
    "mlflow",
    "onnxruntime",
    "pandas",
    "pyspark",
    "sklearn",
    "torch",
)


def loaded_by(code: str) -> list[str]:
    """Which heavy packages a fresh interpreter has after some code."""
    said = f"import sys; {code}; print([name for name in {HEAVY} if name in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(PLUGINS), str(ROOT)))}
    found = subprocess.run(
        [sys.executable, "-c", said], env=environment, capture_output=True, text=True, check=True
    )
    return ast.literal_eval(found.stdout.strip().splitlines()[-1])


def test_the_plugin_and_its_pages_load_nothing_heavy():
    assert loaded_by("import millrace; millrace._pages()") == []


def test_every_process_of_airflow_loads_the_plugin_alone():
    code = "import millrace; assert 'fastapi' not in sys.modules, 'the pages were loaded'"
    assert loaded_by(code) == []


def test_airflow_finds_one_plugin_and_no_error():
    plugins, errors = _load_plugins_from_plugin_directory(str(PLUGINS))
    assert errors == {}
    assert [plugin.name for plugin in plugins] == ["millrace"]
    (app,) = plugins[0].fastapi_apps
    assert app["url_prefix"] == "/millrace"
    for view in plugins[0].external_views:
        assert view["href"].startswith("/millrace/")
    routes = [view["url_route"] for view in plugins[0].external_views]
    assert len(set(routes)) == len(routes)


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def test_nothing_imports_the_pages():
    for folder in ("pipelines", "dags", "features", "models", "expectations"):
        for path in (ROOT / folder).rglob("*.py"):
            found = {name.partition(".")[0] for name in imports(path)}
            assert not found & {"plugins", "millrace", "millrace_pages"}, path


def test_the_pages_know_no_stage_and_no_engine():
    allowed = {
        "core",
        "core.addresses",
        "core.errors",
        "core.journal",
        "core.outcomes",
        "core.registry",
        "core.settings",
        "insight",
        "insight.features",
        "insight.lineage",
        "insight.lineage.case",
        "insight.lineage.predictions",
        "insight.lineage.walk",
        "insight.statistics",
        "insight.values",
        "learning",
        "learning.champion",
        "stores",
        "stores.lake",
        "stores.objects",
        "use_cases",
        "use_cases.spec.interval",
        "use_cases.spec.model",
        "use_cases.spec.use_case",
    }
    for path in PLUGINS.rglob("*.py"):
        ours = {name for name in imports(path) if name.startswith("pipelines")}
        assert {name.removeprefix("pipelines").lstrip(".") for name in ours} - {""} <= allowed, path


@pytest.mark.parametrize("path", sorted(PAGES.rglob("*.*")), ids=lambda path: path.name)
def test_nothing_comes_from_elsewhere_and_nothing_goes_unescaped(path):
    if path.suffix not in {".html", ".css", ".js"}:
        return
    text = path.read_text()
    assert not re.search(r"""(src|href|url\()\s*=?\s*["']?(https?:)?//""", text)
    assert "@import" not in text
    assert "|safe" not in text.replace(" ", "")
    assert " style=" not in text
    assert " onclick" not in text


def test_the_page_of_every_stage_exists():
    from millrace_pages import app

    pages = {page.path for page in app.PAGES}
    asked = {f"/{stage.page[1]}" for stage in STAGES.values() if stage.page}
    assert asked
    assert asked <= pages
