"""What is said of features: from names, descriptions and lineage; and their days, from a table."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from pipelines.insight import features, statistics
from pipelines.insight.lineage.case import CaseLineage, Node
from pipelines.insight.lineage.edges import Field, How, Relation, Source, Value
from pipelines.insight.statistics import Day
from pipelines.use_cases import find

CASE = find("film_picks")
DAY_1, DAY_2 = date(2026, 11, 19), date(2026, 11, 20)


def node(name: str, column: str, *sources: tuple[str, How]) -> Node:
    """A table of one column, made of these."""
    found = frozenset(Source(Field(*source.rsplit(".", 1)), how) for source, how in sources)
    return Node(
        name=name,
        kind="table",
        title="",
        columns={column: "string"},
        relation=Relation({column: Value(found)}),
    )


def test_a_feature_is_made_of_what_becomes_its_value_and_goes_into_models() -> None:
    gold, view = "gold.film_picks_candidates", "features.film_picks_candidates"
    known = CaseLineage(
        "film_picks",
        [
            node("landing.film_picks_films", "title"),
            node("landing.film_picks_ratings", "rating"),
            node(
                gold,
                "title",
                ("landing.film_picks_films.title", How.IDENTITY),
                ("landing.film_picks_ratings.rating", How.SORT),
            ),
            node(view, "title", (f"{gold}.title", How.IDENTITY)),
            node("models.film_picks.next", "candidates__title", (f"{view}.title", How.IDENTITY)),
            node("models.film_picks.other", "score"),
        ],
    )
    by_name = {state.name: of for state, of in features.features(CASE, known).items()}
    title = next(each for each in by_name["candidates"] if each.name == "title")
    assert title.meaning == "The film's title"
    assert (title.sources, title.models) == (["landing.film_picks_films.title"], ["next"])
    others = [each for each in by_name["candidates"] if each.name != "title"]
    assert {(each.sources, each.models) for each in map(tupled, others)} == {((), ())}
    assert "film_id" not in {each.name for each in by_name["candidates"]}


def tupled(found: features.Feature) -> features.Feature:
    return replace(found, sources=tuple(found.sources), models=tuple(found.models))


def test_before_any_lineage_a_feature_is_described_all_the_same() -> None:
    states = features.features(CASE, None)
    assert [state.name for state in states] == ["user_states", "candidates"]
    assert all(each.meaning and not each.sources for of in states.values() for each in of)


def table(kind: pa.DataType, values: list[object]) -> ds.Dataset:
    """Three states of the first day, two of the second, and one long before."""
    dates = [date(2026, 1, 1), DAY_1, DAY_1, DAY_1, DAY_2, DAY_2]
    return ds.dataset(pa.table({"known_date": dates, "it": pa.array(values, kind)}))


NAN, DEVIATION = float("nan"), 2**0.5


@pytest.mark.parametrize(
    ("kind", "values", "first", "second"),
    [
        (
            pa.float64(),
            [9, 1, 3, None, NAN, -4],
            (1 / 3, 2, DEVIATION, 1, 3, 2, None),
            (0.5, -4, None, -4, -4, 1, None),
        ),
        (
            pa.bool_(),
            [True, True, False, None, True, True],
            (1 / 3, 0.5, 0.5**0.5, 0, 1, 2, None),
            (0, 1, 0, 1, 1, 1, None),
        ),
        (
            pa.list_(pa.string()),
            [[], ["a"], ["b", "c", "d"], None, [], []],
            (1 / 3, 2, DEVIATION, 1, 3, 2, None),
            (0, 0, 0, 0, 0, 1, None),
        ),
        (
            pa.string(),
            ["z", "a", "a", None, None, None],
            (1 / 3, None, None, None, None, 1, "a"),
            (1, None, None, None, None, 0, None),
        ),
    ],
    ids=["numbers", "yes or no", "lists", "texts"],
)
def test_a_column_is_summed_up_day_by_day(kind, values, first, second) -> None:
    found = statistics.days(table(kind, values), "it", DAY_2)
    for day, expected in zip(found, ((DAY_1, 3, *first), (DAY_2, 2, *second)), strict=True):
        for name, value in zip(Day.__dataclass_fields__, expected, strict=True):
            wanted = pytest.approx(value) if isinstance(value, float) else value
            assert getattr(day, name) == wanted, name


def test_instants_are_told_as_texts() -> None:
    at = datetime(2026, 11, 20, tzinfo=UTC)
    kind = pa.timestamp("us", "UTC")
    (_, day) = statistics.days(table(kind, [at] * 6), "it", DAY_2)
    assert (day.num_distinct, day.most_frequent) == (1, "2026-11-20 00:00:00+00")
    assert statistics.days(table(kind, [at] * 6), "it", DAY_2, num_days=1) == [day]
