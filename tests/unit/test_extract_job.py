"""Extract as a stage: what lands of an interval, what is refused, and golden lines of real days."""

import json
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import create_engine

from pipelines.core.errors import MillraceError, UsageError
from pipelines.core.outcomes import Extracted, Outcome
from pipelines.core.registry import EXTRACT
from pipelines.core.settings import Settings
from pipelines.core.stage import Context
from pipelines.data.extract import job
from pipelines.use_cases import find
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import UseCase

GOLDEN = Path(__file__).parent.parent / "golden" / "flight_delays_landing"
CASE = find("flight_delays")
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, now=NOW)


def extract(settings: Settings, key: str, case: UseCase = CASE) -> Outcome[Extracted]:
    # The fence is Postgres' (tests/servers/test_lease.py); here every attempt is the newest.
    lease: Any = SimpleNamespace(commit=nullcontext)
    return job.run(
        Context(
            settings=settings,
            case=case,
            interval=Interval.parse(key),
            stage=EXTRACT,
            engine=create_engine("sqlite://"),
            attempt=1,
            lease=lease,
        )
    )


def on_calendar(settings: Settings, calendar: str) -> Settings:
    return settings.model_copy(update={"sources": {CASE.name: {"calendar": calendar}}})


def landing(settings: Settings) -> Path:
    return Path(settings.objects.landing)


def content(settings: Settings, feed: str, part: str) -> str:
    spec = CASE.feed(feed)
    (path,) = landing(settings).glob(f"{CASE.name}/{feed}/{part}/*/{feed}.{spec.format}")
    return path.read_text()


def test_a_day_lands_every_feed(settings: Settings) -> None:
    outcome = extract(settings, "2026-11-20")
    assert outcome.rows == {
        "schedule": 772,
        "movements": 1933,
        "weather": 72,
        "airports": 1458,
        "airlines": 16,
        "planes": 3322,
    }
    assert outcome.details == Extracted(parts=6, new_parts=6)
    for feed in CASE.feeds:
        folder = landing(settings) / CASE.name / feed.name / "2026-11-20"
        manifest = json.loads((folder / "manifest.json").read_text())
        (listed,) = manifest["files"]
        lines = (folder / manifest["version"] / listed["name"]).read_text().splitlines()
        assert len(lines) - (feed.format == "csv") == listed["rows"] == outcome.rows[feed.name]


def test_the_same_day_again_changes_nothing(settings: Settings) -> None:
    def stamps() -> dict[Path, int]:
        files = (path for path in landing(settings).rglob("*") if path.is_file())
        return {path: path.stat().st_mtime_ns for path in files}

    extract(settings, "2026-11-20")
    before = stamps()
    later = settings.model_copy(update={"now": datetime(2026, 11, 23, tzinfo=UTC)})
    assert extract(later, "2026-11-20").details == Extracted(parts=6, new_parts=0)
    assert stamps() == before


def test_a_range_is_its_days_and_one_snapshot(settings: Settings) -> None:
    outcome = extract(settings, "2026-11-19/2026-11-20")
    both = {
        path.relative_to(landing(settings)): path.read_bytes()
        for path in landing(settings).rglob("*.*")
        if path.is_file()
    }
    assert outcome.details == Extracted(parts=3 * 2 + 3, new_parts=9)
    assert {path.parts[1] for path in both if path.parts[2] == "2026-11-19"} == {
        "schedule",
        "movements",
        "weather",
    }
    # The days alone give the same files, byte for byte.
    assert extract(settings, "2026-11-20").details == Extracted(parts=6, new_parts=0)
    assert extract(settings, "2026-11-19").details == Extracted(parts=6, new_parts=3)


def sample(lines: list[str], feed: str, wanted: set[tuple[str, ...]]) -> list[str]:
    """The lines of the golden file's flights and airport."""
    if feed == "weather":
        return sorted(line for line in lines[1:] if line.startswith("JFK,"))
    named = [
        (line, json.loads(line)["flight_id"] if feed == "movements" else line.split(",")[0])
        for line in (lines if feed == "movements" else lines[1:])
    ]
    return sorted(
        line
        for line, name in named
        if (name.split("_")[1],) in wanted or tuple(name.split("_")[1:3]) in wanted
    )


@pytest.mark.parametrize("calendar", ["today", "2013"])
def test_lines_equal_those_of_the_second_way(settings: Settings, calendar: str) -> None:
    golden = json.loads((GOLDEN / f"{calendar}.json").read_text())
    carriers = {("AS",), ("HA",), ("OO",), ("YV",)}
    flights = {("B6", "486"), ("B6", "839"), ("9E", "2915"), ("UA", "1284"), ("MQ", "4309")}
    there = on_calendar(settings, calendar)
    assert sum(map(len, golden.values())) > 40
    for day in sorted({name.split("_")[0] for name in golden}):
        extract(there, day)
        for feed in ("schedule", "movements", "weather"):
            lines = content(there, feed, day).splitlines()
            found = sample(lines, feed, carriers | flights)
            assert found == golden[f"{day}_{feed}"], (day, feed)


def test_b16_a_day_without_weather_is_an_empty_file(settings: Settings) -> None:
    """The source has no weather of 31 December."""
    assert extract(settings, "2025-12-16").rows["weather"] == 0
    header = ",".join(CASE.feed("weather").column_names) + "\n"
    empty = on_calendar(settings, "2013")
    outcome = extract(empty, "2014-01-01")
    assert (outcome.rows["weather"], outcome.rows["schedule"]) == (0, 0)
    assert content(empty, "weather", "2014-01-01") == header
    assert extract(empty, "2012-12-31").rows["movements"] == 0
    assert content(empty, "movements", "2012-12-31") == ""


@pytest.mark.parametrize(
    "key", ["2026-11-22", "2026-11-21/2026-11-22", "2026-11-22T10", "2027-01-01"]
)
def test_what_is_not_over_is_refused(settings: Settings, key: str) -> None:
    with pytest.raises(UsageError, match=rf"{key} is not over yet \(now 2026-11-22 10:00 UTC\)"):
        extract(settings, key)
    assert not landing(settings).exists()


def test_an_hour_that_is_over_lands(settings: Settings) -> None:
    hourly = replace(CASE, grain="hour")
    assert extract(settings, "2026-11-21T18", hourly).rows["schedule"] > 700
    assert extract(settings, "2026-11-21T17", hourly).rows["schedule"] == 0


def test_more_days_than_have_outcomes_of_their_own_are_refused(settings: Settings) -> None:
    with pytest.raises(UsageError, match="has 364 days; after 363 the source repeats its outcomes"):
        extract(settings, "2025-11-21/2026-11-19")
    assert not landing(settings).exists()
    short = replace(CASE, history_days_max=2, models=())
    assert extract(settings, "2026-11-18/2026-11-19", short).rows["schedule"] == 966 + 968
    with pytest.raises(UsageError, match="has 3 days; flight_delays takes at most 2 at a time"):
        extract(settings, "2026-11-18/2026-11-20", short)
    endless = replace(CASE, history_days_max=None)
    with pytest.raises(UsageError, match="has 364 days; after 363 the source repeats"):
        extract(settings, "2025-11-21/2026-11-19", endless)


@pytest.mark.parametrize(
    "key",
    ["2012-12-30", "2014-01-02", "2012-12-30/2013-01-05", "2013-12-30/2014-01-02", "2026-11-20"],
)
def test_on_the_calendar_of_2013_other_years_are_refused(settings: Settings, key: str) -> None:
    there = on_calendar(settings, "2013")
    with pytest.raises(UsageError, match=f"{key} is not in 2012-12-31 to 2014-01-01"):
        extract(there, key)


@pytest.mark.parametrize("told", [{"calendar": "2012"}, {"calender": "2013"}])
def test_what_the_source_does_not_understand_is_refused(
    settings: Settings, told: dict[str, str]
) -> None:
    there = settings.model_copy(update={"sources": {CASE.name: told}})
    with pytest.raises(UsageError, match=r"MILLRACE_SOURCES tells .*one of today, 2013"):
        extract(there, "2026-11-20")


def test_a_case_without_a_source_says_what_to_write(settings: Settings) -> None:
    case = replace(CASE, name="no_such")
    with pytest.raises(
        MillraceError, match=r"no_such has no pipelines/data/extract/sources/no_such\.py: write it"
    ):
        extract(settings, "2026-11-20", case)
