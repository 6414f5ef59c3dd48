"""An artifact's folder: how it is written, and how it is read.

Refreshed are the catalogue, with what is known of its items, and the index; the rest is learned.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from models.columns import Columns
from models.files import write_json
from models.trees import inputs, text
from models.two_stage import (
    CATALOGUE,
    CATEGORIES,
    CONTENT_VECTORS,
    INDEX,
    ITEM_VECTORS,
    RANKER,
    RETRIEVAL,
    SETTINGS,
    SIMILARITY,
    arrow,
    catalogue,
    features,
    index,
    similarity,
    towers,
)
from models.two_stage.candidates import Retrievers
from models.two_stage.catalogue import Catalogue, Statistics
from models.two_stage.ratings import Weights
from models.two_stage.settings import TwoStage
from models.two_stage.similarity import Similarity
from models.two_stage.towers import Contents, Towers

if TYPE_CHECKING:
    from models.tasks import Ranking
    from models.two_stage.scoring import Picks


@dataclass(frozen=True)
class Learned:
    """What a refresh leaves as it is, over some catalogue."""

    similarity: Similarity
    towers: Towers
    weights: Weights


def write_learned(folder: Path, retrievers: Retrievers, settings: TwoStage) -> None:
    """Keep what was learned, and by which settings."""
    learned, weights = retrievers.towers, retrievers.weights
    write_json(folder / SETTINGS, settings.to_json())
    values = {
        **towers.to_json(learned.contents),
        "rating_mean": weights.rating_mean,
        "num_similar_items": len(retrievers.similarity.code_S),
    }
    write_json(folder / RETRIEVAL, values)
    similarity.write(folder / SIMILARITY, retrievers.similarity, retrievers.catalogue)
    arrow.write_vectors(folder / ITEM_VECTORS, learned.item_J, learned.own_JE)
    names = arrow.texts(learned.contents.names)
    arrow.write_vectors(folder / CONTENT_VECTORS, names, learned.content_CE)


def write_refreshed(folder: Path, retrievers: Retrievers, known: Statistics) -> None:
    """Keep which items there are, and their index."""
    catalogue.write(folder / CATALOGUE, retrievers.catalogue, known)
    retrievers.index.write(folder / INDEX)


def settings_of(folder: Path) -> TwoStage:
    """By which settings it was learned.

    Raises:
        ModelRefused: they are none.
    """
    try:
        return TwoStage.from_json(json.loads((folder / SETTINGS).read_text()))
    except (OSError, TypeError, ValueError) as error:
        raise arrow.refusal(folder / SETTINGS, str(error)) from error


def learned(folder: Path, settings: TwoStage, items: Catalogue) -> Learned:
    """What was learned, over a catalogue.

    Raises:
        ModelRefused: a file is not what was written.
    """
    num_numbers = settings.retrieval.num_dimensions + 1
    try:
        values = json.loads((folder / RETRIEVAL).read_text())
        contents = Contents(
            tuple(map(str, values["tags"])), float(values["year_mean"]), float(values["year_std"])
        )
        weights = Weights(settings.retrieval.rating_weight, float(values["rating_mean"]))
        num_similar_items = int(values["num_similar_items"])
    except (KeyError, OSError, TypeError, ValueError) as error:
        raise arrow.refusal(folder / RETRIEVAL, str(error)) from error
    own = arrow.read_vectors(folder / ITEM_VECTORS, num_numbers)
    names, content_CE = arrow.read_vectors(folder / CONTENT_VECTORS, num_numbers)
    if tuple(names.to_pylist()) != contents.names:
        raise arrow.refusal(folder / CONTENT_VECTORS, f"of other contents than {RETRIEVAL} names")
    similar = similarity.read(folder / SIMILARITY, num_similar_items, items)
    return Learned(similar, Towers(contents, *own, content_CE), weights)


def scorer(folder: Path, task: "Ranking", columns: Columns, num_threads: int) -> "Picks":
    """Open a folder of ours.

    Raises:
        ModelRefused: a file is not of our shape, or of other columns than it is said to be.
    """
    from models.two_stage.scoring import Picks

    settings = settings_of(folder)
    items, known = catalogue.read(folder / CATALOGUE)
    found = learned(folder, settings, items)
    vector_IE = found.towers.item_vectors(items)
    retrievers = Retrievers(
        items,
        found.similarity,
        found.towers,
        found.weights,
        vector_IE,
        index.read(folder / INDEX, vector_IE),
        settings.retrieval.num_candidates,
    )
    categories = inputs.read(folder / CATEGORIES, columns)
    num_inputs = len(features.NAMES) + len(columns.numeric) + len(columns.categorical)
    booster = text.booster(folder / RANKER, num_inputs, 1)
    weight = settings.ranker.prior_weight
    return Picks(task, columns, retrievers, known, booster, categories, weight, num_threads)
