"""Of a table in a random dialect nothing is said: it comes back equal, or a question does."""

import os
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]
import pytest

from pipelines.core.errors import BatchRefused, UsageError
from pipelines.data.reading.files import FileTable
from pipelines.data.reading.guess import guessed
from pipelines.data.reading.recognise import recognised
from pipelines.data.reading.said import Guess, Said
from pipelines.data.reading.sample import sampled
from pipelines.data.reading.sniff import SaidDialect
from pipelines.data.reading.values import converted
from tests.random_files import DELIMITED
from tests.random_tables import Column, table
from tests.random_typed_files import TYPED, Writer, Written

# From good to bad: equal; each value as it was written, but of no better type; a question; a few
# records in quarantine, where a text alone begins with a quote that is none of the file's.
VERDICTS = ("right", "written", "asks", "told")
SEEDS = int(os.environ.get("MILLRACE_TEST_SEEDS", "40"))


def verdict(source: FileTable, written: Written, draw: random.Random) -> str:
    """Of `VERDICTS` the worst of all columns, or what is wrong."""
    names = [each.name for each in written.table]
    try:
        source = replace(source, dialect=recognised(source, SaidDialect()).dialect)
        if (found := source.column_names()) != names:
            # JSON without a record has no names. Of a delimiter that is none of the usual ones all
            # is one column: the names that a person gives are not there, which is said.
            return "asks" if len(found) < 2 else f"the columns {found}"
    except (UsageError, BatchRefused):
        return "asks"
    sample = sampled(source, names, 10**6)
    if sample.problems:
        is_rare = len(sample.problems) * 20 <= len(sample.rows)
        return "told" if is_rare else f"{sample.problems}"
    times = [each.name for each in written.table if is_time(each, draw)]
    columns = {name: sample.rows[name] for name in names}
    guesses = guessed(columns, Said(), times=times)
    verdicts = [of_column(each, columns[each.name], guesses[each.name]) for each in written.table]
    return max(
        verdicts, key=lambda each: VERDICTS.index(each) if each in VERDICTS else len(VERDICTS)
    )


def is_time(column: Column, draw: random.Random) -> bool:
    return column.kind == "timestamp" and draw.random() < 0.5


def of_column(column: Column, values: pa.ChunkedArray, found: Guess) -> str:
    if found.asks:
        return "asks"
    got = [plain(each) for each in converted(values, found.kind, found.notation).values.to_pylist()]
    expected = [plain(each) for each in column.values]
    if got == expected:
        return "right"
    # pandas and DuckDB write None as a word that a text may be; and of a few days written 20261120
    # nobody knows that they are no numbers.
    texts = values.to_pylist()
    missing = ["", None, *found.notation.missing]
    if found.kind in ("string", "bigint") and all(
        text in missing if value is None else text == str(value)
        for text, value in zip(texts, got, strict=True)
    ):
        return "written"
    wrong = next((pair for pair in zip(got, expected, strict=False) if pair[0] != pair[1]), None)
    return f"{column.name}, {column.kind}: {found}, {wrong}, {len(got)} of {len(expected)} values"


def plain(value: Any) -> Any:
    """A day is its midnight, and an empty text is nothing."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return None if value == "" else value


@pytest.mark.parametrize("writer", [*DELIMITED, *TYPED], ids=lambda each: each.__name__)
def test_a_table_comes_back_or_a_question_does(tmp_path: Path, writer: Writer) -> None:
    counts: Counter[str] = Counter()
    for seed in range(SEEDS):
        draw = random.Random(seed)  # noqa: S311
        written = writer(draw, table(draw, are_plain=True))
        (tmp_path / written.name).write_bytes(written.content)
        source = FileTable(str(tmp_path / written.name), (tmp_path,))
        found = verdict(source, written, draw)
        assert found in VERDICTS, (seed, found)
        counts[found] += 1
    # Who only asks is never wrong, nor of use; most of these are dates of a few days.
    assert counts["asks"] < 0.3 * SEEDS
    assert counts["told"] < 0.02 * SEEDS
