"""The model of film_picks: which ten films will this person want to see next?"""

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from models.columns import Columns
from models.spec import ModelSpec
from models.tasks import Ranking
from models.two_stage.settings import Sources, TwoStage

COLUMNS = Columns(
    numeric=(
        "user_states__num_films_rated",
        "user_states__rating_mean_last_200",
        "hours_since_last_rating",
        "age_years",
    ),
    categorical=("gender", "occupation"),
    numeric_lists=("user_states__ratings_given",),
    categorical_lists=("user_states__films_rated",),
)

MODELS = {
    "next": ModelSpec(
        columns=COLUMNS,
        task=Ranking(k=10, items="films"),
        settings=TwoStage(sources=Sources(items="candidates", item="film_id", tags="genres")),
    )
}


def derive(table: pa.Table) -> pa.Table:
    """Decisions with their states [B rows], and how long ago each person rated something."""
    instants = (table[name].cast(pa.timestamp("us", "UTC")) for name in _INSTANTS)
    asked, last = (each.cast(pa.int64()).cast(pa.float64(), safe=False) for each in instants)
    hours_B = (asked.to_numpy() - last.to_numpy()) / 3600e6
    column = pa.array(hours_B.astype(np.float64), pa.float64(), from_pandas=True)
    return table.append_column("hours_since_last_rating", column)


_INSTANTS = ("known_at", "user_states__last_rated_at")
