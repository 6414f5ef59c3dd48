"""Rows for each toy: to learn from, to validate, and to be judged by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from models.columns import Columns
from models.family import Settings
from models.tasks import Binary, Task
from tests.model.toys.ordering import Ordering
from tests.model.toys.ranked_items import RankedItems
from tests.model.toys.trend_lines import Trend, TrendLines
from tests.model.toys.word_counts import WordCounts

# A part, its rows, its seed.
PARTS = (("training", 1500, 0), ("validation", 400, 1), ("evaluation", 600, 2))
KINDS = ("hat", "shoe", "coat")


@dataclass(frozen=True)
class Sample:
    """What a family is shown: `tables` by their role."""

    columns: Columns
    task: Task
    settings: Settings
    label: str
    tables: Mapping[str, pa.Table]


def items(first: int, num_items: int) -> pa.Table:
    """Items by number; every third is of one kind."""
    numbers = range(first, first + num_items)
    return pa.table(
        {
            "item": [f"item {number}" for number in numbers],
            "kind": [KINDS[number % 3] for number in numbers],
        }
    )


def shown(num_rows: int, seed: int, first: int = 0) -> pa.Table:
    """Items shown to queries, each of which likes one kind."""
    random = np.random.default_rng(seed)
    number = first + random.integers(0, 60, num_rows)
    query = random.integers(0, 12, num_rows)
    likes = (number % 3 == query % 3) * 2
    return pa.table(
        {
            "query": [f"query {each}" for each in query],
            "item": [f"item {each}" for each in number],
            "relevance": np.clip(likes + random.integers(-1, 2, num_rows), 0, 3).astype(np.int8),
        }
    )


def ordering() -> Sample:
    tables = {name: shown(num_rows, seed) for name, num_rows, seed in PARTS}
    return Sample(
        Columns(categorical=("query", "item")),
        Ordering(),
        RankedItems(),
        "relevance",
        {**tables, "items": items(0, 60)},
    )


def written(num_rows: int, seed: int) -> pa.Table:
    """Texts, some missing, of which those that complain say so in other words."""
    random = np.random.default_rng(seed)
    words = (
        ["late", "lost", "never", "the", "flight"],
        ["thanks", "fine", "good", "the", "flight"],
    )
    bad = random.random(num_rows) < 0.4
    texts = [" ".join(random.choice(words[0] if each else words[1], 4)) for each in bad]
    is_gone = random.random(num_rows) < 0.05
    day = random.integers(0, 10, num_rows)
    return pa.table({"text": pa.array(texts, mask=is_gone), "complains": bad, "day": day})


def texts() -> Sample:
    tables = {name: written(num_rows, seed) for name, num_rows, seed in PARTS}
    return Sample(Columns(categorical=("text",)), Binary(), WordCounts(), "complains", tables)


def ahead(num_rows: int, seed: int) -> pa.Table:
    random = np.random.default_rng(seed)
    series, horizon = random.integers(0, 9, num_rows), random.integers(1, 13, num_rows)
    value = series * 5 + horizon * (series % 3 - 1) + random.normal(size=num_rows)
    return pa.table({"series": [f"s{each}" for each in series], "horizon": horizon, "value": value})


def trend() -> Sample:
    tables = {name: ahead(num_rows, seed) for name, num_rows, seed in PARTS}
    columns = Columns(numeric=("horizon",), categorical=("series",))
    return Sample(columns, Trend(), TrendLines(), "value", tables)


TOYS: Mapping[str, Callable[[], Sample]] = {
    "ranked_items": ordering,
    "word_counts": texts,
    "trend_lines": trend,
}
