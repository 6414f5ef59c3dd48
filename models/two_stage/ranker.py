"""The second stage: boosted trees that put candidates in order, by LambdaMART.

Burges, "From RankNet to LambdaRank to LambdaMART: An Overview" (2010), in LightGBM's making.

Shape suffixes: B rows, P pairs of a row and a candidate, F features.
"""

import logging
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np

from models.errors import DataRefused
from models.tasks.task import Array
from models.two_stage import features
from models.two_stage.candidates import Candidates
from models.two_stage.settings import Ranker

log = logging.getLogger(__name__)

# Pairs below this place move nobody's list of ten.
_TRUNCATION = 30


@dataclass(frozen=True)
class Judged:
    """Candidates whose relevance is known.

    Args:
        feature_PF: the last columns are categories, by code.
        is_relevant_P: 0 or 1.
        num_rows: also those without a candidate.
        recall: the share of relevant items that are candidates.
    """

    candidates: Candidates
    feature_PF: Array
    is_relevant_P: Array
    num_rows: int
    recall: float

    @property
    def is_told(self) -> Array:
        """Whether a row has relevant candidates and others, [P]: else no order says anything."""
        row_P = self.candidates.row_P
        relevant_B = np.bincount(row_P, self.is_relevant_P, self.num_rows)
        all_B = np.bincount(row_P, minlength=self.num_rows)
        is_told_P: Array = ((relevant_B > 0) & (relevant_B < all_B))[row_P]
        return is_told_P


def fitted(
    training: Judged,
    validation: Judged,
    num_categories: int,
    settings: Ranker,
    k: int,
    seed: int,
    num_threads: int,
) -> tuple[lightgbm.Booster, list[dict[str, Any]]]:
    """Trees until nDCG at k of the validation rows no longer rises; and each round's.

    Raises:
        DataRefused: in no rows a candidate is relevant.
    """
    learned, held_out = (
        _dataset(each, num_categories, settings) for each in (training, validation)
    )
    held_out.reference = learned
    found: dict[str, dict[str, list[float]]] = {}
    booster = lightgbm.train(
        {**_parameters(settings, seed, num_threads, training.feature_PF.shape[1]), "eval_at": [k]},
        learned,
        settings.num_rounds,
        valid_sets=[held_out],
        valid_names=["validation"],
        callbacks=[
            lightgbm.early_stopping(settings.patience, verbose=False),
            lightgbm.record_evaluation(found),
        ],
    )
    values = found["validation"][f"ndcg@{k}"]
    log.info("ranker: %d rounds, the best is %d", len(values), booster.best_iteration)
    losses = ({"epoch": at, "validation_loss": 1 - value} for at, value in enumerate(values))
    return booster, [{"booster": "ranker", **each} for each in losses]


def _dataset(judged: Judged, num_categories: int, settings: Ranker) -> lightgbm.Dataset:
    is_told_P, num_features = judged.is_told, judged.feature_PF.shape[1]
    if not is_told_P.any():
        raise DataRefused("in no rows a candidate is relevant: there is no order to learn")
    candidates = judged.candidates.where(is_told_P)
    _, sizes = np.unique(candidates.row_P, return_counts=True)
    return lightgbm.Dataset(
        judged.feature_PF[is_told_P],
        judged.is_relevant_P[is_told_P],
        group=sizes,
        init_score=features.prior(candidates, settings.prior_weight),
        categorical_feature=list(range(num_features - num_categories, num_features)),
    )


def _parameters(settings: Ranker, seed: int, num_threads: int, num_features: int) -> dict[str, Any]:
    """LightGBM's words; `deterministic` and one layout, so that equal rows give equal trees."""
    rising = [int(name in features.RISING) for name in features.NAMES]
    others = num_features - len(rising)
    return {
        "objective": "lambdarank",
        "metric": "ndcg",
        "lambdarank_truncation_level": _TRUNCATION,
        "monotone_constraints": [*rising, *[0] * others],
        "seed": seed,
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.num_leaves,
        "min_data_in_leaf": settings.min_rows,
        "feature_fraction": settings.column_share,
        "bagging_fraction": settings.row_share,
        "bagging_freq": 1,
        "lambda_l2": settings.l2,
        "num_threads": num_threads,
        "deterministic": True,
        "force_row_wise": True,
        "verbose": -1,
    }
