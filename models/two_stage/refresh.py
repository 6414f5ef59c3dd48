"""What is new, taken in without a training: items, and how popular each is by now."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.two_stage import CATALOGUE, catalogue, folder, ratings
from models.two_stage.candidates import Retrievers


def refreshed(place: Path, tables: Mapping[str, Path]) -> Mapping[str, Any]:
    """Write catalogue and index anew; new items have a vector by their content.

    Raises:
        DataRefused: a table has no rows, or lacks a column.
        ModelRefused: a file is not what was written, or the index finds too few of the nearest.
    """
    settings = folder.settings_of(place)
    sources, retrieval = settings.sources, settings.retrieval
    before, _ = catalogue.read(place / CATALOGUE)
    items = catalogue.listed(tables[sources.items], sources)
    taken = ratings.read(tables[sources.ratings], sources, items)
    learned = folder.learned(place, settings, items)
    built = Retrievers.built(
        items, learned.similarity, learned.towers, learned.weights, retrieval.num_candidates
    )
    history_UI = ratings.by_user(taken, len(items), learned.weights)
    recall = built.check_recall(history_UI, retrieval.recall_min)
    folder.write_refreshed(place, built, catalogue.statistics(taken, len(items), taken.end))
    return {
        "num_items": len(items),
        "num_new_items": int((before.codes(items.item_I) < 0).sum()),
        "num_ratings": len(taken),
        "index_recall": recall,
    }
