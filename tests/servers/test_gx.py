"""Great Expectations over Spark Connect: its verdicts are ours, and cost few Spark jobs."""

import copy
import random
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from expectations.rules import Between, InSet, Matches, NotNull, Ordered, Rule
from pipelines.data.validate.check import judge
from pipelines.stores import gx

pytestmark = [
    pytest.mark.usefixtures("great_expectations"),
    # Its successor writes values as Python's repr, which Spark reads otherwise.
    pytest.mark.filterwarnings("ignore:.*deprecated as of GX Core 1.9:DeprecationWarning"),
]

START = datetime(2026, 11, 18, tzinfo=UTC)


def test_both_engines_find_the_same_bad_rows(
    spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ingest splits rows by a Spark predicate, Great Expectations judges by its own code."""
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    rules: tuple[Rule, ...] = (
        NotNull("text", because="x"),
        NotNull("number", when=("text", ("a", "b")), because="x"),
        Between("number", -1.5, 2, because="x"),
        InSet("text", ("a", "it's", "$b"), because="x"),
        Matches("text", "[a-c]", because="x"),
        Ordered("first", "second", because="x"),
    )
    schema = "id int, text string, number double, first timestamp, second timestamp"
    rng = random.Random(seed)  # noqa: S311
    frame = spark.createDataFrame(_random_rows(rng), schema)
    monkeypatch.setattr(
        gx, "_RESULT_FORMAT", {"result_format": "COMPLETE", "unexpected_index_column_names": ["id"]}
    )
    context = gx.open_context(tmp_path)
    batch = gx.Batch("t.rows", frame, [rule.to_expectation() for rule in rules])
    results = gx.validate(context, [batch], "rows")["t.rows"].results
    by_note = {_key(result.expectation_config): result for result in results}
    for rule in rules:
        bad = {row.id for row in frame.where(f"not {rule.predicate}").collect()}
        result = by_note[_key(rule.to_expectation().configuration)].result
        assert {found["id"] for found in result["unexpected_index_list"] or []} == bad, rule
        assert bad, f"no row breaks {rule}, so nothing was compared"


def _key(config: Any) -> str:
    ignored = ("batch_id", "result_format")
    return f"{config.type} { {k: v for k, v in sorted(config.kwargs.items()) if k not in ignored} }"


def _random_rows(rng: random.Random) -> list[tuple[Any, ...]]:
    texts = [None, "", "a", "b", "c", "ab", "a\n", "it's", "$b", "${b}", "\\", "é"]
    numbers = [None, float("nan"), float("inf"), -1.5, -1.6, 0.0, 2.0, 2.1]
    instants = [None, *(START + timedelta(hours=hours) for hours in range(3))]
    pools = (texts, numbers, instants, instants)
    return [(line, *(rng.choice(pool) for pool in pools)) for line in range(300)]


def test_fewer_jobs_find_what_the_stock_engine_finds(
    spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [(f"s{line}", float(line)) for line in range(12)]
    frame = spark.createDataFrame(rows, "text string, number double")
    rules = (
        Between("number", 0, 8, because="x"),
        Between("number", 0, 99, because="x"),
        Matches("text", "s[0-9]", because="x"),
        NotNull("text", because="x"),
    )
    collected: list[int] = []
    collect = type(frame).collect
    monkeypatch.setattr(type(frame), "collect", lambda f: collected.append(1) or collect(f))

    def results(folder: str, source: str) -> tuple[list[Any], int]:
        context, jobs = gx.open_context(tmp_path / folder), len(collected)
        add = getattr(context.data_sources, source)
        sources = type(context.data_sources)
        monkeypatch.setattr(sources, "add_spark_few_jobs", staticmethod(add), raising=False)
        batch = gx.Batch("t.rows", frame, [rule.to_expectation() for rule in rules])
        found = gx.validate(context, [batch], "rows")["t.rows"].results
        plain = [(_key(each.expectation_config), each.success, each.result) for each in found]
        return sorted(plain, key=str), len(collected) - jobs

    ours, our_jobs = results("ours", "add_spark_few_jobs")
    theirs, their_jobs = results("theirs", "add_spark")
    assert ours == theirs
    # Two rounds of aggregates, and samples of the two broken rules; the stock engine fetches four.
    assert (our_jobs, their_jobs) == (4, 6)


def test_a_finding_has_its_limits_its_reason_and_samples(tmp_path: Path) -> None:
    context = gx.open_context(tmp_path)
    rule = Between("number", 0, 1, because="it is a share")
    frame = pd.DataFrame({"number": [0.5, *range(2, 20)]})
    batch = gx.Batch("t.rows", frame, [rule.to_expectation()])
    (finding,) = judge("t.rows", gx.validate(context, [batch], "rows")["t.rows"]).findings
    found = asdict(finding)
    assert (found["column"], found["because"]) == ("number", "it is a share")
    assert (found["expected"]["min_value"], found["expected"]["max_value"]) == (0, 1)
    assert "column" not in found["expected"]
    assert found["samples"] == [f"{number}.0" for number in range(2, 12)]


def test_an_expectation_that_cannot_be_judged_is_a_failure_whatever_its_severity(
    tmp_path: Path,
) -> None:
    context = gx.open_context(tmp_path)
    rule = copy.copy(Between("missing", 0, 1, because="x").to_expectation())
    rule.severity = "info"
    frame = pd.DataFrame({"name": ["a"]})
    results = gx.validate(context, [gx.Batch("t.rows", frame, [rule])], "rows")
    verdict = judge("t.rows", results["t.rows"])
    assert verdict.state == "failed"
    assert "could not be judged" in str(verdict.failures[0])
    assert "missing" in str(verdict.failures[0])


def test_a_suite_without_expectations_proves_nothing(tmp_path: Path) -> None:
    context = gx.open_context(tmp_path)
    results = gx.validate(context, [gx.Batch("t.rows", pd.DataFrame({"a": [1]}), [])], "rows")
    with pytest.raises(ValueError, match="its suite is empty"):
        judge("t.rows", results["t.rows"])
