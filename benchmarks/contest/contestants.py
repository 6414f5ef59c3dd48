"""Who competes: each learns from the same rows, and none meets those that it is judged on.

Shape suffixes: B rows, F columns.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import lightgbm
import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from sklearn.compose import ColumnTransformer  # type: ignore[import-untyped]
from sklearn.impute import SimpleImputer  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.pipeline import make_pipeline  # type: ignore[import-untyped]
from sklearn.preprocessing import OneHotEncoder, StandardScaler  # type: ignore[import-untyped]

from models import scoring, worker
from models.columns import Columns, Floats, label_vector, numeric_matrix, text_column
from models.flight_delays import MODEL, PLAN, ROTATION
from models.metrics import Array
from models.preprocess import encode
from pipelines.core.settings import ROOT
from pipelines.use_cases import find

Predict: TypeAlias = Callable[[pa.Table], Array]
# Training rows, validation rows, seed.
Fit: TypeAlias = Callable[[pa.Table, pa.Table, int], Predict]
Vocabularies: TypeAlias = Mapping[str, tuple[str, ...]]

NUM_THREADS = 2
# Usual for some 200,000 rows and 100 inputs, many of which say the same; not tuned.
BOOSTING: Mapping[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.03,
    "num_leaves": 95,
    "min_data_in_leaf": 200,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "num_threads": NUM_THREADS,
    "deterministic": True,
    "force_col_wise": True,
    "verbosity": -1,
}
MAX_ROUNDS, PATIENCE_ROUNDS = 3000, 100

_OF_AIRCRAFT = (
    "num_seats",
    "aircraft_age_years",
    "manufacturer",
    "num_previous_legs_same_day",
    "rotation_slack_minutes",
    *ROTATION,
)


def of_tail(name: str) -> bool:
    """Whether an input comes from the flown tail number, which is assumed to be known."""
    return name in _OF_AIRCRAFT or name.startswith("tail_states__")


def chosen(columns: Columns, wanted: Callable[[str], bool]) -> Columns:
    """The same columns, fewer inputs."""
    numeric, categorical = (
        tuple(filter(wanted, names)) for names in (columns.numeric, columns.categorical)
    )
    return replace(columns, numeric=numeric, categorical=categorical)


ALL = MODEL.columns
SCHEDULE = chosen(ALL, lambda name: name in (*PLAN, *ALL.categorical))
WITHOUT_TAIL = chosen(ALL, lambda name: not of_tail(name))


def boosted(training: pa.Table, validation: pa.Table, seed: int, *, columns: Columns) -> Predict:
    """LightGBM, stopped by the validation's log loss."""
    known = vocabularies(training, columns.categorical)
    matrix = partial(coded_matrix, columns=columns, known=known)
    codes = list(range(len(columns.numeric), len(columns.inputs)))
    learned = lightgbm.Dataset(
        matrix(training), label_vector(training, columns.label), categorical_feature=codes
    )
    watched = learned.create_valid(matrix(validation), label_vector(validation, columns.label))
    model = lightgbm.train(
        {**BOOSTING, "seed": seed},
        learned,
        MAX_ROUNDS,
        valid_sets=[watched],
        callbacks=[lightgbm.early_stopping(PATIENCE_ROUNDS, verbose=False)],
    )
    return lambda table: np.asarray(model.predict(matrix(table), num_threads=NUM_THREADS))


def vocabularies(table: pa.Table, names: Sequence[str]) -> Vocabularies:
    """Each category's values."""
    return {name: tuple(sorted(pc.unique(text_column(table, name)).to_pylist())) for name in names}


def coded_matrix(table: pa.Table, *, columns: Columns, known: Vocabularies) -> Floats:
    """Numbers, then categories as codes, of which 0 is unknown, float32 [B, F]."""
    codes = [
        encode(text_column(table, name), known[name]).to_numpy() for name in columns.categorical
    ]
    return np.column_stack([numeric_matrix(table, columns.numeric), *codes]).astype(np.float32)


def logistic(training: pa.Table, _: pa.Table, seed: int, *, columns: Columns) -> Predict:
    """Logistic regression on imputed, scaled and one-hot inputs; it stops by itself.

    Its solver draws nothing: every seed gives the same.
    """
    numbers = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        StandardScaler(),
    )
    categories = OneHotEncoder(
        min_frequency=20, handle_unknown="infrequent_if_exist", dtype=np.float32
    )
    inputs = ColumnTransformer(
        [
            ("numbers", numbers, list(columns.numeric)),
            ("categories", categories, list(columns.categorical)),
        ]
    )
    model = make_pipeline(inputs, LogisticRegression(max_iter=1000, random_state=seed))
    model.fit(frame(training, columns), label_vector(training, columns.label))
    return lambda table: np.asarray(model.predict_proba(frame(table, columns))[:, 1])


def frame(table: pa.Table, columns: Columns) -> pd.DataFrame:
    """The inputs as scikit-learn takes them by name."""
    numbers = pd.DataFrame(numeric_matrix(table, columns.numeric), columns=list(columns.numeric))
    texts = {name: text_column(table, name).to_pandas() for name in columns.categorical}
    return numbers.assign(**texts)


def net(training: pa.Table, validation: pa.Table, seed: int, *, columns: Columns) -> Predict:
    """The platform's own net as the stage `train` makes it: torchrun, the same spec and ranks."""
    spec = replace(MODEL, columns=columns, optimisation=replace(MODEL.optimisation, seed=seed))
    with tempfile.TemporaryDirectory(prefix="mr-net-") as scratch:
        folder = Path(scratch)
        job = worker.Job(
            spec=spec,
            training=folder / "training.parquet",
            validation=folder / "validation.parquet",
            folder=folder,
        )
        pq.write_table(training, job.training)
        pq.write_table(validation, job.validation)
        _train(job)
        content = (folder / "model.onnx").read_bytes()
        digest = json.loads((folder / "result.json").read_text())["digest"]
    return scoring.load(content, digest, num_threads=NUM_THREADS).score


def _train(job: worker.Job) -> None:
    path = job.folder / "job.json"
    job.write(path)
    training = find(MODEL.name).training
    num_ranks = training.num_ranks if training else 1
    threads = max(1, NUM_THREADS // num_ranks)
    ended = subprocess.run(
        worker.command(path, num_ranks=num_ranks),
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": str(threads)},
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise RuntimeError(f"the net was not trained: {ended.stderr[-2000:]}")


# The goals' contestants, and each of the strong ones without what the tail number tells.
CONTESTANTS: Mapping[str, Fit] = {
    "LightGBM, schedule only": partial(boosted, columns=SCHEDULE),
    "logistic regression": partial(logistic, columns=ALL),
    "LightGBM": partial(boosted, columns=ALL),
    "net": partial(net, columns=ALL),
    "logistic regression, no tail": partial(logistic, columns=WITHOUT_TAIL),
    "LightGBM, no tail": partial(boosted, columns=WITHOUT_TAIL),
    "net, no tail": partial(net, columns=WITHOUT_TAIL),
}
