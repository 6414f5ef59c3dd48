"""A forecast from somebody's series: its step, what is proposed of it, and what is refused."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from models.tasks import Forecast
from pipelines.core.errors import UsageError
from pipelines.data.reading.files import FileTable
from pipelines.scaffold import shown
from pipelines.scaffold.ask import Ask
from pipelines.scaffold.infer import Proposal, infer
from pipelines.scaffold.plan import planned
from pipelines.scaffold.render import rendered
from pipelines.scaffold.series import STEPS
from tests import made_tables

NOW = datetime(2026, 11, 27, tzinfo=UTC)
TODAY = date(2026, 11, 27)
Row = Mapping[str, Any]
Change = Callable[[Iterable[Row]], Iterable[Row]]


def days(number: int) -> list[date]:
    return [TODAY - timedelta(days=back) for back in range(number, 0, -1)]


def propose(path: Path, table: Iterable[Row], **said: Any) -> Proposal:
    made_tables.write(iter(table), path)  # type: ignore[arg-type]
    asked = {"key": ("Station", "Hour"), "event_time": "Hour", "label": "Load (MW)"} | said
    ask = Ask(name="loads", location=str(path), task="forecast", **asked)
    return infer(ask, FileTable(str(path), (path.parent,)), NOW)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "load.csv"


def test_hours_are_forecast_three_days_ahead(path):
    found = propose(path, made_tables.loads(days(80)))
    assert found.series
    assert (found.series.step.word, found.series.num_series, found.series.horizon) == (
        "hour",
        2,
        72,
    )
    assert found.key == ("station", "event_at")
    assert found.target.type == "double"
    plan = planned(found)
    # 14 days of midnights whose 3 days are over by the end, 7 that say when to stop.
    assert (plan.evaluation_days, plan.validation_days) == (17, 10)
    assert plan.num_rows_min == 1000
    texts = rendered(found, TODAY)
    models, use_case = texts["models/loads.py"], texts["pipelines/use_cases/loads.py"]
    assert '"load_mw_168h_before"' in models
    assert 'naive="naive_load_mw"' in models
    assert "minimum=0.0" in models
    assert 'row_key=("station", "target_at", "horizon_hours")' in use_case


def test_days_of_one_series_need_no_key(path):
    table = made_tables.loads(days(200), ("one",), is_hourly=False)
    rows = [{name: row[name] for name in ("Hour", "Load (MW)")} for row in table]
    rows[0]["Load (MW)"] = -1
    found = propose(path, rows, key=(), horizon=7)
    assert found.series
    assert (found.series.step.word, found.series.horizon, found.key) == ("day", 7, ("event_at",))
    texts = rendered(found, TODAY)
    use_case = texts["pipelines/use_cases/loads.py"]
    assert 'row_key=("population", "target_at", "horizon_days")' in use_case
    assert "evaluation_days=21" in use_case
    assert "minimum=" not in texts["models/loads.py"]
    decisions = texts["pipelines/data/transform/dbt/models/loads/gold/loads_decisions.sql"]
    assert "seasons = [7, 14, 21, 28, 35, 42]" in decisions
    assert "hour(" not in decisions


def test_the_lags_reach_as_far_as_the_horizon():
    """Of the last step ahead some whole season is known, else nothing would be asked of it."""
    for step in STEPS:
        assert step.horizon <= step.horizon_max <= max(step.lags)
        assert step.season in step.lags
        assert [lag % step.a_day for lag in step.lags] == [0] * len(step.lags)
        known = [lag for lag in step.lags if not lag % step.season and lag >= step.horizon_max]
        assert len(known) >= 2, "a step that has no row must not end the forecasts"


def test_the_gate_asks_for_what_a_naive_forecast_has_not(path):
    text = rendered(propose(path, made_tables.loads(days(80))), TODAY)[
        "pipelines/use_cases/loads.py"
    ]
    gate = Forecast(naive="naive").metric()
    assert (gate.name, gate.floor) == ("pinball_skill_score", 0.0)
    assert "metric=" not in text
    assert "floor=0.0," in text


def test_the_report_says_what_is_forecast(path):
    rows = [row for place, row in enumerate(made_tables.loads(days(80))) if place != 99]
    said = " ".join(shown.summary(propose(path, rows)).split())
    assert "task forecast, as you say" in said
    assert "2 series by Station, a row an hour: at each midnight UTC the next 72 hours" in said
    assert "1 hours have no row: nothing is learned from them" in said
    assert "Station station string series" in said


def every(number: int, offset: int = 0) -> Change:
    return lambda rows: [row for place, row in enumerate(rows) if (place + offset) % number]


def later(minutes: int) -> Change:
    def changed(rows: Iterable[Row]) -> Iterable[Row]:
        for row in rows:
            at = datetime.fromisoformat(row["Hour"]) + timedelta(minutes=minutes)
            yield {**row, "Hour": at.isoformat()}

    return changed


def quarters(rows: Iterable[Row]) -> Iterable[Row]:
    for minutes in (0, 15, 30, 45):
        yield from later(minutes)(rows)


def twice(rows: Iterable[Row]) -> Iterable[Row]:
    for row in rows:
        yield from (row, {**row, "Load (MW)": row["Load (MW)"] + 1})


@pytest.mark.parametrize(
    ("change", "said", "words"),
    [
        (quarters, {}, "Hour: most rows of a series are 15 minutes apart; a forecast is of hours"),
        (
            later(7),
            {},
            "3,840 instants are not at the full hour, such as 2026-09-08T00:07",
        ),
        (
            every(40),
            {},
            "95 of 3,839 hours have no row, such as .* of north: fill",
        ),
        (twice, {}, "key Station, Hour names several rows 3840 times"),
        (lambda rows: rows, {"key": ("Hour",)}, "key Hour names several rows 1920 times"),
        (lambda rows: rows, {"horizon": 500}, "--horizon 500: of a series with a row an hour 1 to"),
        (lambda rows: list(rows)[-1440:], {}, "the series have 30 days; to forecast 72 hours, 65 "),
        (lambda rows: list(rows)[::100], {"key": ("Station",)}, "are 3000 minutes apart; a"),
        (lambda rows: rows, {"label_known_at": "Hour"}, "the label, the key and the times must be"),
        (lambda rows: rows, {"label": "Station"}, "the label, the key and the times must be"),
    ],
)
def test_what_is_no_regular_series_is_refused_in_words(path, change, said, words):
    rows = list(made_tables.loads(days(80)))
    with pytest.raises(UsageError, match=words):
        propose(path, change(rows), **said)


def test_what_is_said_of_another_task_is_refused(path):
    table = list(made_tables.loads(days(80)))
    with pytest.raises(UsageError, match="--horizon is of a forecast: say --task forecast, too"):
        _regression(path, table)


def _regression(path: Path, table: Iterable[Row]) -> None:
    made_tables.write(iter(table), path)  # type: ignore[arg-type]
    columns = {"key": ("Station", "Hour"), "event_time": "Hour", "label": "Load (MW)"}
    ask = Ask(name="loads", location=str(path), task="regression", horizon=24, **columns)
    infer(ask, FileTable(str(path), (path.parent,)), NOW)
