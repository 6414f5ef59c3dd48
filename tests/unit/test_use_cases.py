"""Use cases are found by their files; a broken one is named by its line, and hurts no other."""

import copy
import os
import pickle
import re
import sys
import timeit
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pipelines import use_cases
from pipelines.core.errors import MillraceError, UsageError
from pipelines.use_cases.spec.discovery import BrokenCase, Cases, Discovery
from pipelines.use_cases.spec.use_case import UseCase

PACKAGE = "made_up_cases"
CASE = """from pipelines.use_cases.spec.use_case import UseCase

MADE = UseCase(
    name="{name}", description="{description}", feeds=(), silver=({silver}), entity_states=(){more}
)
"""


def text(name: str, **changes: str) -> str:
    return CASE.format(name=name, **({"description": "made", "silver": "", "more": ""} | changes))


def write(folder: Path, name: str, **changes: str) -> Path:
    path = folder / f"{name}.py"
    path.write_text(text(name, **changes))
    return path


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "__init__.py").write_text("")
    (tmp_path / "spec").mkdir()
    write(tmp_path, "good")
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith(PACKAGE)]:
        del sys.modules[name]


@pytest.fixture
def discovery(folder):
    return Discovery(folder, PACKAGE)


def test_every_case_of_the_repository_can_be_loaded():
    cases = use_cases.load()
    assert cases.broken == {}
    folder = Path(use_cases.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert set(cases.found) == files
    assert "flight_delays" in files


def test_a_folder_without_a_change_gives_the_same_values(discovery):
    cases = discovery.load()
    assert list(cases.found) == ["good"]
    assert cases.broken == {}
    assert discovery.load() is cases


def test_new_changed_and_removed_files_are_seen_without_a_restart(discovery, folder, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    before = discovery.load().found["good"]
    path = write(folder, "another")
    found = discovery.load().found
    assert list(found) == ["another", "good"]
    assert found["good"] is before, "a file that is as it was is not imported again"
    # Of the same size, and within a second: Python's own cache would give the old one.
    write(folder, "another", description="edam")
    assert discovery.load().found["another"].description == "edam"
    path.unlink()
    assert list(discovery.load().found) == ["good"]
    assert f"{PACKAGE}.another" not in sys.modules


def test_a_file_with_the_same_time_and_another_size_is_imported_again(discovery, folder):
    path = write(folder, "good")
    state = path.stat()
    discovery.load()
    write(folder, "good", description="longer than before")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert discovery.load().found["good"].description == "longer than before"


def test_a_case_is_a_value_before_and_after_it_is_imported_again(discovery, folder):
    before = discovery.load().found["good"]
    os.utime(folder / "good.py", ns=(1, 1))
    after = discovery.load().found["good"]
    assert after is not before
    assert after == before
    assert hash(after) == hash(before)
    for each in (before, after):
        assert pickle.loads(pickle.dumps(each)) == copy.deepcopy(each) == before  # noqa: S301


def test_looking_again_costs_next_to_nothing(discovery, folder):
    for number in range(8):
        write(folder, f"case_{number}")
    discovery.load()
    assert min(timeit.repeat(discovery.load, number=20, repeat=20)) / 20 < 0.001


SPOILT = {
    "quarantine_rate_max=2": "quarantine_rate_max is a share, 0 to 1",
    "grain='week'": "grain 'week' is none of day, hour, quarter_hour",
    "schedule='nightly'": "schedule 'nightly' is not five fields of cron",
    "schedule='0 24 * * *'": "schedule '0 24",
    "nonsense=1": "TypeError: .* unexpected keyword argument 'nonsense'",
}


@pytest.mark.parametrize(
    ("said", "line", "written"),
    [
        (r"SyntaxError: '\(' was never closed", 2, "x = 1\ny = (\n"),
        ("ModuleNotFoundError: No module named", 1, "import nothing_of_this_name\n"),
        (r"it defines no UseCase; it needs one, UseCase\(name='bad', \.\.\.\)", None, "x = 1\n"),
        ("SystemExit: 3", 2, "\nraise SystemExit(3)\n"),
        ("its UseCase is named 'good'; it must be", None, text("good")),
        ("'A b' is not a lower-case identifier", 3, text("bad", silver="'A b',")),
        (
            r"it has 2 of UseCase \(bad, worse\); a file is one case",
            None,
            text("bad") + text("worse").replace("MADE", "OTHER"),
        ),
        *((said, 3, text("bad", more=f", {more}")) for more, said in SPOILT.items()),
    ],
)
def test_a_broken_file_is_named_with_its_line_and_hurts_no_other(
    discovery, folder, said, line, written
):
    discovery.load()
    (folder / "bad.py").write_text(written)
    cases = discovery.load()
    assert list(cases.found) == ["good"]
    broken = cases.broken["bad"]
    assert (broken.name, broken.file, broken.line) == ("bad", f"{PACKAGE}/bad.py", line)
    assert re.search(said, broken.error), broken.error
    assert "\n" not in str(broken)
    write(folder, "bad")
    mended = discovery.load()
    assert mended.broken == {}
    assert list(mended.found) == ["bad", "good"]


def test_a_case_that_breaks_is_gone_until_it_is_mended(discovery, folder):
    discovery.load()
    (folder / "good.py").write_text("x = (")
    cases = discovery.load()
    assert (dict(cases.found), list(cases.broken)) == ({}, ["good"])


@pytest.mark.parametrize(
    "schedule", ["0 0 * * *", "*/15 0-6,12 1 1-12/2 0,7", "59 23 31 12 7", "5/10 * * * 1-5"]
)
def test_any_cron_of_numbers_is_a_schedule(discovery, folder, schedule):
    write(folder, "good", more=f", schedule={schedule!r}")
    assert discovery.load().found["good"].schedule == schedule


@pytest.mark.parametrize(
    "schedule",
    ["* * * *", "60 * * * *", "5-1 * * * *", "*/0 * * * *", "0 0 0 * *", "a * * * *"],
)
def test_what_airflow_would_refuse_is_no_schedule(discovery, folder, schedule):
    write(folder, "good", more=f", schedule={schedule!r}")
    assert "is not five fields of cron" in discovery.load().broken["good"].error


def test_a_file_that_can_not_be_a_name_is_broken_and_an_editors_is_none(discovery, folder):
    write(folder, "my-case")
    (folder / ".#good.py").write_text("x = (")
    (folder / "notes.txt").write_text("x = (")
    cases = discovery.load()
    assert list(cases.found) == ["good"]
    assert list(cases.broken) == ["my-case"]
    assert "is not a lower-case identifier" in cases.broken["my-case"].error


def test_who_would_write_a_table_of_another_case_is_broken(discovery, folder):
    write(folder, "a_b", silver="'c',")
    write(folder, "a", silver="'b_c',")
    cases = discovery.load()
    assert list(cases.found) == ["a_b", "good"]
    assert str(cases.broken["a"]) == (
        f"{PACKAGE}/a.py: its table silver.a_b_c is one of the case a_b: rename its own"
    )


def test_a_case_may_be_a_variant_of_another(discovery, folder, monkeypatch):
    package = ModuleType(PACKAGE)
    package.__path__ = [str(folder)]
    monkeypatch.setitem(sys.modules, PACKAGE, package)
    lines = ["from dataclasses import replace", f"from {PACKAGE} import good"]
    made = "\n".join([*lines, 'VARIANT = replace(good.MADE, name="variant")'])
    (folder / "variant.py").write_text(made)
    assert list(discovery.load().found) == ["good", "variant"]


def test_a_command_of_a_broken_case_says_where_and_what_to_do(monkeypatch):
    broken = BrokenCase("loans", "pipelines/use_cases/loans.py", 4, "ValueError: no")
    there = Cases(use_cases.load().found, {"loans": broken})
    monkeypatch.setattr(use_cases, "load", lambda: there)
    said = r"'loans' can't be loaded: pipelines/use_cases/loans\.py, line 4: ValueError: no; mend"
    with pytest.raises(MillraceError, match=said) as refused:
        use_cases.find("loans")
    assert not isinstance(refused.value, UsageError)
    assert isinstance(use_cases.find("flight_delays"), UseCase)
    with pytest.raises(UsageError, match=r"no use case 'nope'; there is .*flight_delays"):
        use_cases.find("nope")


def online(minutes: int, **changes: Any) -> UseCase:
    """The flights with their first model online."""
    case = use_cases.find("flight_delays")
    late, *others = case.models
    return replace(case, models=(replace(late, online_after_minutes=minutes), *others), **changes)


def test_a_state_is_online_after_its_part_and_counts_for_as_long_as_one() -> None:
    hourly = online(75, grain="hour")
    assert hourly.model("late").online_after_minutes == 75
    with pytest.raises(ValueError, match=r"'late' has its states online after 59 minutes, but a h"):
        online(59, grain="hour")
    with pytest.raises(ValueError, match=r"origin_states, .*origin_weather_states would be unkn"):
        online(1500)
    short = tuple(replace(s, ttl_minutes=59) for s in hourly.entity_states[:1])
    with pytest.raises(ValueError, match=r"origin_states would be unknown .* ttl_minutes of 60"):
        replace(hourly, entity_states=(*short, *hourly.entity_states[1:]))
