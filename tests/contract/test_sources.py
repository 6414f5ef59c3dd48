"""Every use case has a source, and its files are what its feeds promise."""

import csv
import json
import re
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.core import cases
from pipelines.core.settings import Settings
from pipelines.core.source import Source
from pipelines.data.extract.publications import Publishing
from pipelines.data.extract.tables import Rows, days
from pipelines.data.landing import land
from pipelines.data.reading.files import FileTable
from pipelines.data.reading.numbers import PATTERNS
from pipelines.data.reading.rows import FAILED
from pipelines.data.reading.values import arrow_type
from pipelines.stores.objects import Objects
from pipelines.use_cases import load
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import ColumnType, Feed, UseCase

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
# Not every day has news of everything, such as a new film; a month has.
DAYS_BACK = 30
CASES = load()


def feed_of(case: UseCase, feed: Feed) -> Any:
    """A case whose packages are not here is left out, and says why."""
    why = CASES.unavailable.get(case.name)
    marks = [pytest.mark.skip(reason=f"{case.name} is unavailable: {why}")] if why else []
    return pytest.param(case, feed, id=f"{case.name}-{feed.name}", marks=marks)


FEEDS = [feed_of(case, feed) for case in CASES.found.values() for feed in case.feeds]


GOLDEN = Path(__file__).parents[1] / "golden"


def opened(case: UseCase, home: Path, days_back: int) -> tuple[Source, Interval]:
    """The source, and its newest part so far back: of a generated case that of its sample."""
    code, sample = cases.source(case.name), GOLDEN / f"{case.name}_sample.csv"
    settings = Settings(home=home, now=NOW, data_roots=(GOLDEN,))
    if not sample.exists():
        day = Interval.of_day(settings.yesterday().last_date - timedelta(days=days_back))
        (*_, part) = day.parts(case.grain)
        return code.source(settings, part), part
    module: Any = code
    table = FileTable(str(sample), (GOLDEN,))
    columns = case.feed("rows").columns
    newest = days(table, Publishing(shape=module.SHAPE, columns=columns))[-1]
    return Rows(table, module.SHAPE, Interval.of_day(newest)), Interval.of_day(newest)


def landed(case: UseCase, feed: Feed, home: Path) -> tuple[list[Path], Interval]:
    """The files of the newest part that has rows."""
    for days_back in range(DAYS_BACK):
        source, part = opened(case, home, days_back)
        files = source.files(feed, part)
        store = Objects.at(str(home / part.key))
        if land(store, feed, part, files, landed_at=NOW, commit=nullcontext).rows:
            break
    return sorted((home / part.key).glob("*/*")), part


def rows(feed: Feed, path: Path) -> list[dict[str, object]]:
    if feed.format == "parquet":
        return [
            {name: row[FAILED][name] or row[name] for name in feed.column_names}
            for row in pq.read_table(path).to_pylist()
        ]
    with path.open(newline="", encoding="utf-8") as file:
        if feed.format == "jsonl":
            return [json.loads(line) for line in file]
        return [
            {name: None if text == feed.null_token else text for name, text in row.items()}
            for row in csv.DictReader(file)
        ]


def is_of(value: object, feed: Feed, kind: ColumnType) -> bool:
    """Whether a value is of its column's type; of a landing of texts, written as the type is."""
    if feed.format == "parquet":
        return pa.scalar(value).type.equals(pa.scalar(value, arrow_type(kind)).type) or (
            kind == "timestamp" and isinstance(value, datetime) and value.tzinfo is not None
        )
    return bool(re.fullmatch(PATTERNS.get(kind, r"(?s).+"), str(value)))


@pytest.mark.parametrize(("case", "feed"), FEEDS)
def test_a_source_writes_the_columns_of_its_feed_in_order_and_of_their_types(
    case: UseCase, feed: Feed, tmp_path: Path
) -> None:
    files, _ = landed(case, feed, tmp_path)
    assert files, f"the source of {case.name} offers no file of {feed.name}"
    for path in files:
        found = rows(feed, path)
        assert found, f"{path.name} has no rows, so this proves nothing"
        assert {tuple(row) for row in found} == {feed.column_names}
        for column in feed.columns:
            values = {row[column.name] for row in found} - {None}
            bad = [value for value in values if not is_of(value, feed, column.type)]
            assert not bad, f"{feed.name}.{column.name} is no {column.type}: {bad[:3]}"
            assert column.optional or values, f"{feed.name}.{column.name} has no value at all"


@pytest.mark.parametrize(("case", "feed"), FEEDS)
def test_a_part_has_a_key_once_and_only_what_became_known_in_it(
    case: UseCase, feed: Feed, tmp_path: Path
) -> None:
    files, part = landed(case, feed, tmp_path)
    found = [row for path in files for row in rows(feed, path)]
    keys = [tuple(row[name] for name in feed.key) for row in found]
    assert len(keys) == len(set(keys))
    for row in found:
        assert part.start <= datetime.fromisoformat(str(row["known_at"])) < part.end
