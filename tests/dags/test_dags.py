"""The Dags load, chain the stages in order, emit by the check, and import nothing heavy."""

import ast
import itertools
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.core.registry import STAGES

ROOT = Path(__file__).resolve().parents[2]
DAGS = ROOT / "dags"
ORDER = [
    "check_key",
    "extract",
    "ingest",
    "validate_raw",
    "transform",
    "validate_features",
    "materialize",
]


@pytest.fixture(scope="module")
def flows(monkeypatch_module):
    monkeypatch_module.syspath_prepend(str(DAGS))
    import build_features

    from pipelines.use_cases import find

    case = find("flight_delays")
    return build_features.build_features(case), build_features.load_history(case)


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def test_both_dags_chain_the_same_tasks_in_the_order_of_the_data(flows):
    for dag in flows:
        assert [task.task_id for task in dag.topological_sort()] == ORDER
        for upstream, downstream in itertools.pairwise(ORDER):
            assert dag.get_task(upstream).downstream_task_ids == {downstream}


def test_only_the_features_check_emits_the_asset(flows):
    for dag in flows:
        outlets = {task.task_id: [a.name for a in task.outlets] for task in dag.tasks}
        assert outlets.pop("validate_features") == ["flight_delays.features"]
        assert set(outlets) == set(ORDER) - {"validate_features"}
        assert not any(outlets.values())


def test_one_run_at_a_time_and_failures_are_retried(flows):
    for dag in flows:
        assert dag.max_active_runs == 1
        assert dag.description
        retries = {task.task_id: task.retries for task in dag.tasks}
        assert retries.pop("check_key") == 0
        assert set(retries.values()) == {2}
        assert all(task.execution_timeout for task in dag.tasks)


def test_the_night_is_keyed_by_the_day_that_ended(flows):
    nightly, history = flows
    assert nightly.timetable.run_offset == -1
    assert nightly.timetable.key_format == "%Y-%m-%d"
    assert nightly.timetable.expression == "0 0 * * *"
    assert list(nightly.params) == ["day"]
    assert list(history.params) == ["first_day", "last_day"]


def test_parsing_a_dag_file_imports_nothing_heavy():
    heavy = ["pyspark", "pandas", "torch", "great_expectations", "feast", "mlflow", "dbt"]
    # Where a task runs it reads settings; where Dags are parsed, nobody does.
    heavy += ["pipelines.core.settings"]
    code = f"import sys; import build_features; print([m for m in {heavy} if m in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": str(DAGS)}
    found = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip().splitlines()[-1] == "[]"


MODEL_DAGS = {
    "train_model": [
        "check_key",
        "due_training",
        "assemble",
        "validate_training_set",
        "train",
        "promote",
        "leaks",
    ],
    "predict_batch": ["check_key", "predict", "validate_predictions"],
    "watch_drift": ["check_key", "monitor", "due_drift"],
}
WAITS_FOR = {
    "train_model": {"flight_delays.features", "flight_delays.drift"},
    "predict_batch": {"flight_delays.features"},
    "watch_drift": {"flight_delays.predictions"},
}
EMITS = {
    ("predict_batch", "validate_predictions"): "predictions",
    ("watch_drift", "due_drift"): "drift",
}


@pytest.fixture(scope="module", params=MODEL_DAGS)
def model_dag(request, monkeypatch_module):
    return request.param, _model_dag(request.param, "late", monkeypatch_module)


def _model_dag(name, model, patch):
    patch.syspath_prepend(str(DAGS))
    from importlib import import_module

    from pipelines.use_cases import find

    case = find("flight_delays")
    return getattr(import_module(name), name)(case, case.model(model))


def test_a_model_that_is_refreshed_takes_in_what_is_new_before_it_answers(monkeypatch_module):
    monkeypatch_module.syspath_prepend(str(DAGS))
    from importlib import import_module

    from pipelines.use_cases import find

    case = find("film_picks")
    dag = import_module("predict_batch").predict_batch(case, case.model())
    tasks = [task.task_id for task in dag.topological_sort()]
    assert tasks == ["check_key", "refresh", "predict", "validate_predictions"]


@pytest.mark.parametrize("name", MODEL_DAGS)
def test_a_further_model_has_dags_and_assets_of_its_own(name, monkeypatch_module):
    dag = _model_dag(name, "minutes", monkeypatch_module)
    assert dag.dag_id == f"flight_delays.minutes_{name}"
    assert [task.task_id for task in dag.topological_sort()] == MODEL_DAGS[name]
    condition = dag.timetable.asset_condition
    waits = {each.name for each in getattr(condition, "objects", [condition])}
    own = {each.replace(".", ".minutes_") for each in WAITS_FOR[name]}
    shared = {each.replace("minutes_features", "features") for each in own}
    assert waits == shared
    emitted = {a.name for task in dag.tasks for a in task.outlets}
    expected = {asset for (dag_name, _), asset in EMITS.items() if dag_name == name}
    assert emitted == {f"flight_delays.minutes_{asset}" for asset in expected}
    # The stage is told which model; where a case has one, there is nothing to tell.
    assert {task.model_name for task in dag.tasks if task.task_id != "check_key"} == {"minutes"}


def test_a_model_dag_chains_its_tasks_and_waits_for_its_assets(model_dag):
    name, dag = model_dag
    assert [task.task_id for task in dag.topological_sort()] == MODEL_DAGS[name]
    for upstream, downstream in itertools.pairwise(MODEL_DAGS[name]):
        assert dag.get_task(upstream).downstream_task_ids == {downstream}
    condition = dag.timetable.asset_condition
    assert {each.name for each in getattr(condition, "objects", [condition])} == WAITS_FOR[name]
    assert type(dag.timetable).__name__ == "PartitionedAssetTimetable"


def test_a_model_dag_emits_by_its_check_alone(model_dag):
    name, dag = model_dag
    for task in dag.tasks:
        expected = EMITS.get((name, task.task_id))
        assert [a.name for a in task.outlets] == ([f"flight_delays.{expected}"] if expected else [])
    assert dag.max_active_runs == 1
    assert dag.description


def test_a_task_is_its_stage_within_the_stages_limits(flows, model_dag):
    for dag in (*flows, model_dag[1]):
        for task in (each for each in dag.tasks if each.task_id != "check_key"):
            stage = STAGES[task.task_id]
            assert task.stage == stage.name
            limits = (task.retries, task.execution_timeout)
            assert limits == (stage.retries, stage.timeout)


def test_a_training_may_take_longer_than_any_other_stage():
    longest = max(STAGES.values(), key=lambda stage: stage.timeout)
    assert longest.name == "train"
    assert longest.timeout > timedelta(hours=1)


def test_a_model_dag_retries_and_takes_ranges(model_dag):
    _, dag = model_dag
    retries = {task.task_id: task.retries for task in dag.tasks}
    assert retries.pop("check_key") == 0
    assert set(retries.values()) == {2}
    assert all(task.execution_timeout for task in dag.tasks)
    assert dag.get_task("check_key").op_kwargs["ranges"] is True


def test_a_range_is_for_load_history_alone(flows):
    nightly, history = flows
    assert nightly.get_task("check_key").op_args == (False,)
    assert history.get_task("check_key").op_args == (True,)


NIGHTS = """
import build_features
from pipelines.use_cases import find
dag = build_features.build_features(find("flight_delays"))
print(dag.start_date and dag.start_date.isoformat(), dag.catchup)
"""


@pytest.mark.parametrize(
    ("since", "said"),
    [
        ({"MILLRACE_SCHEDULE_SINCE": "2026-11-20"}, "2026-11-21T00:00:00+00:00 True"),
        ({}, "None False"),
    ],
)
def test_missed_nights_are_made_up_for_since_the_first_start(since, said):
    kept = {k: v for k, v in os.environ.items() if k != "MILLRACE_SCHEDULE_SINCE"}
    environment = {**kept, "PYTHONPATH": f"{DAGS}{os.pathsep}{ROOT}", **since}
    found = subprocess.run(
        [sys.executable, "-c", NIGHTS], env=environment, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip().splitlines()[-1] == said


BROKEN = """
import sys
from pathlib import Path
from pipelines.use_cases import load
from pipelines import use_cases
from pipelines.use_cases.spec.discovery import Discovery

use_cases._HERE = Discovery(Path(sys.argv[1]), "pipelines.use_cases")
from airflow.dag_processing.dagbag import DagBag

bag = DagBag(sys.argv[2], bundle_path=Path(sys.argv[2]), bundle_name="dags", collect_dags=False)
bag.collect_dags(sys.argv[2], safe_mode=True)
print(sorted(bag.dags))
print({Path(path).name: said for path, said in bag.import_errors.items()})
"""


def _loaded(folder):
    """Airflow's own reading of the Dags folder: the Dags, and the import errors by file."""
    environment = {**os.environ, "PYTHONPATH": f"{DAGS}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-c", BROKEN, str(folder), str(DAGS)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return [ast.literal_eval(line) for line in ended.stdout.strip().splitlines()[-2:]]


def test_a_broken_case_is_an_import_error_of_its_own_and_the_others_dags_load(tmp_path):
    flights = (ROOT / "pipelines" / "use_cases" / "flight_delays.py").read_text()
    (tmp_path / "flight_delays.py").write_text(flights)
    of_models = (f"{prefix}{name}" for prefix in ("", "minutes_") for name in MODEL_DAGS)
    names = (*of_models, "build_features", "load_history")
    expected = sorted(f"flight_delays.{name}" for name in names)
    assert _loaded(tmp_path) == [expected, {}]
    (tmp_path / "loans.py").write_text("x = 1\ny = (\n")
    (tmp_path / "shop.py").write_text("z = 1\n")
    found, errors = _loaded(tmp_path)
    assert found == expected
    assert list(errors) == ["broken_cases.py"]
    said = errors["broken_cases.py"]
    assert "pipelines/use_cases/loans.py, line 2: SyntaxError: '(' was never closed" in said
    assert "pipelines/use_cases/shop.py: ValueError: it defines no UseCase" in said
