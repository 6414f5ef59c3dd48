"""A ranking from somebody's interactions: what is proposed of them, and what is refused."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from math import log2
from pathlib import Path
from typing import Any

import pytest

from pipelines.core.errors import UsageError
from pipelines.data.reading.files import FileTable
from pipelines.scaffold import shown
from pipelines.scaffold.ask import Ask
from pipelines.scaffold.infer import Proposal, infer
from pipelines.scaffold.plan import planned
from pipelines.scaffold.render import rendered
from tests import made_tables

NOW = datetime(2026, 11, 27, tzinfo=UTC)
TODAY = date(2026, 11, 27)
DAYS = [TODAY - timedelta(days=back) for back in range(90, 0, -1)]
Row = Mapping[str, Any]


@pytest.fixture(scope="module")
def table() -> list[dict[str, Any]]:
    return list(made_tables.ratings(DAYS))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ratings.csv"


def propose(path: Path, rows: Iterable[Row], **said: Any) -> Proposal:
    made_tables.write(iter(rows), path)  # type: ignore[arg-type]
    asked = {"key": ("Reader", "Book"), "event_time": "When", "label": "Stars"} | said
    ask = Ask(name="picks", location=str(path), **({"task": "ranking"} | asked))
    return infer(ask, FileTable(str(path), (path.parent,)), NOW)


def test_who_and_what_are_the_key_in_its_order(path, table):
    found = propose(path, table)
    assert found.key == ("user_id", "item_id", "event_at")
    assert (found.label, found.target.type) == ("item_id", "string")
    assert [(each.name, each.type) for each in found.inputs] == [
        ("user_id", "string"),
        ("stars", "bigint"),
    ]
    turned = propose(path, table, key=("Book", "Reader"))
    assert turned.shape.columns["Book"] == "user_id"
    said = " ".join(shown.summary(found).split())
    assert "If it is the other way round, say --key Book,Reader" in said
    assert "Reader user_id string user" in said
    assert "Stars stars bigint number" in said


def test_a_column_of_our_names_gets_another(path, table):
    rows = [
        {**row, "user_id": "x", "Scores": 1, "items": place % 9} for place, row in enumerate(table)
    ]
    found = propose(path, rows)
    assert found.shape.columns["Reader"] == "user_id"
    assert [found.shape.columns[name] for name in ("user_id", "Scores", "items")] == [
        "user_id_value",
        "scores_value",
        "items_value",
    ]


def test_stars_are_kept_where_there_are_some(path, table):
    texts = rendered(propose(path, table), TODAY)
    states = texts["pipelines/data/transform/dbt/models/picks/gold/picks_user_states.sql"]
    assert "as stars_given" in states
    assert '"user_states__stars_given"' in texts["models/picks.py"]
    assert 'rating="stars"' in texts["models/picks.py"]
    plain = ({name: row[name] for name in ("Reader", "Book", "When")} for row in table)
    texts = rendered(propose(path, plain, label=""), TODAY)
    assert "given" not in "".join(texts.values())
    assert "rating=None" in texts["models/picks.py"]


def test_the_plan_counts_who_is_asked_about(path, table):
    found = propose(path, table)
    plan = planned(found)
    assert found.picks
    assert (plan.validation_days, plan.evaluation_days, plan.watched_days) == (21, 28, 7)
    assert found.picks.labelled_a_day < found.picks.asked_a_day <= 120
    # A week of the evaluation's decisions has no label yet.
    assert plan.num_rows_min == min(1000, int(found.picks.labelled_a_day * 21 / 2))


def test_the_gate_asks_for_more_than_the_most_popular_items_reach(path, table):
    found = propose(path, table)
    assert found.picks
    assert found.picks.popular_ndcg == pytest.approx(popular_ndcg(table), abs=1e-12)
    use_case = rendered(found, TODAY)["pipelines/use_cases/picks.py"]
    assert f"floor={round(found.picks.popular_ndcg, 3)}," in use_case
    assert found.picks.popular_ndcg > 0.02


def popular_ndcg(table: Iterable[Row]) -> float:
    """By the definition, with plain Python; ties of popularity in the order of names."""
    rows = sorted(
        (datetime.fromisoformat(row["When"]), row["Reader"], row["Book"]) for row in table
    )
    last = rows[-1][0].replace(hour=0, minute=0, second=0)
    found = []
    for week in range(1, 5):
        at = last - timedelta(days=7 * week)
        lately = [row for row in rows if at - timedelta(days=28) < row[0] <= at]
        counts = Counter(item for _, _, item in lately)
        popular = sorted(counts, key=lambda item: (-counts[item], item))
        known, new = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
        for when, user, item in rows:
            if when <= at:
                known[user].add(item)
            elif when <= at + timedelta(days=7):
                new[user].add(item)
        for user in {user for _, user, _ in lately}:
            if wanted := new[user] - known[user]:
                listed = [item for item in popular if item not in known[user]][:10]
                gain = sum(1 / log2(n + 2) for n, item in enumerate(listed) if item in wanted)
                found.append(gain / sum(1 / log2(n + 2) for n in range(min(10, len(wanted)))))
    return sum(found) / len(found)


def only(number: int) -> Any:
    return lambda rows: [row for row in rows if int(row["Reader"][1:]) < number]


def unique(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "Reader": f"r{place}"} for place, row in enumerate(rows)]


def few_items(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**row, "Book": f"b{place % 9}"} for place, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("change", "said", "words"),
    [
        (list, {"key": ("Reader",)}, "--key Reader: a ranking needs two columns, first who took"),
        (list, {"key": ("Reader", "Book", "Stars"), "label": ""}, "a ranking needs two columns"),
        (unique, {}, "nearly every row is of another user, .* name the user first in --key"),
        (few_items, {}, "Book has 9 values: a list of 10 would have all of them"),
        (only(20), {}, "in the last 4 weeks [0-9]+ users took something new .*; 30 are needed"),
        (lambda rows: rows[-1500:], {}, "the rows are of [0-9]+ days; 77 are needed: 49 to stop"),
        (
            lambda rows: [{**row, "Stars": f"s{row['Stars']}"} for row in rows],
            {},
            "--label Stars: beside who and what a ranking knows a number, such as stars",
        ),
        (list, {"label_known_at": "Stars", "label": ""}, "--label-known-at: what a ranking is"),
        (list, {"horizon": 3}, "--horizon is of a forecast"),
        (list, {"positive": "b1"}, "--positive .* leave it out of --task ranking"),
        (list, {"label": "Book"}, "the label, the key and the times must be different"),
    ],
)
def test_what_is_no_ranking_is_refused_in_words(path, table, change, said, words):
    with pytest.raises(UsageError, match=words):
        propose(path, change(table), **said)


def test_the_same_item_may_be_taken_again(path, table):
    again = [{**row, "When": f"{row['When'][:10]}T23:59:59+00:00"} for row in table[::50]]
    found = propose(path, [*table, *again])
    assert not [line for line in found.said if "was there before" in line]
