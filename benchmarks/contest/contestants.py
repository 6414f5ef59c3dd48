"""Who competes: each learns from the same rows, and none meets those that it is judged on.

Shape suffixes: B rows, F columns.
"""

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

from models import artifact, families
from models.columns import Columns, Floats, label_vector, numeric_matrix, text_column
from models.flight_delays import MODELS, PLAN, ROTATION
from models.job import Job
from models.tabular_net.preprocess import encode
from models.tabular_net.settings import TabularNet
from models.tasks.task import Array
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


SPEC = MODELS["late"]
MODEL = find("flight_delays").model("late")
ALL, LABEL = SPEC.columns, MODEL.label
SCHEDULE = chosen(ALL, lambda name: name in (*PLAN, *ALL.categorical))
WITHOUT_TAIL = chosen(ALL, lambda name: not of_tail(name))


def boosted(training: pa.Table, validation: pa.Table, seed: int, *, columns: Columns) -> Predict:
    """LightGBM, stopped by the validation's log loss."""
    known = vocabularies(training, columns.categorical)
    matrix = partial(coded_matrix, columns=columns, known=known)
    codes = list(range(len(columns.numeric), len(columns.inputs)))
    learned = lightgbm.Dataset(matrix(training), labels(training), categorical_feature=codes)
    watched = learned.create_valid(matrix(validation), labels(validation))
    model = lightgbm.train(
        {**BOOSTING, "seed": seed},
        learned,
        MAX_ROUNDS,
        valid_sets=[watched],
        callbacks=[lightgbm.early_stopping(PATIENCE_ROUNDS, verbose=False)],
    )
    return lambda table: np.asarray(model.predict(matrix(table), num_threads=NUM_THREADS))


def labels(table: pa.Table) -> Floats:
    """Whether each flight was late, 0 or 1, [B]."""
    return label_vector(LABEL, table[LABEL])


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
    model.fit(frame(training, columns), labels(training))
    return lambda table: np.asarray(model.predict_proba(frame(table, columns))[:, 1])


def frame(table: pa.Table, columns: Columns) -> pd.DataFrame:
    """The inputs as scikit-learn takes them by name."""
    numbers = pd.DataFrame(numeric_matrix(table, columns.numeric), columns=list(columns.numeric))
    texts = {name: text_column(table, name).to_pandas() for name in columns.categorical}
    return numbers.assign(**texts)


def net(training: pa.Table, validation: pa.Table, seed: int, *, columns: Columns) -> Predict:
    """The platform's own net as the stage `train` makes it: the same spec and processes."""
    settings = SPEC.settings
    assert isinstance(settings, TabularNet)
    settings = replace(settings, optimisation=replace(settings.optimisation, seed=seed))
    with tempfile.TemporaryDirectory(prefix="mr-net-") as scratch:
        folder = Path(scratch)
        job = Job(
            spec=replace(SPEC, columns=columns, settings=settings),
            label=LABEL,
            tables={name: folder / f"{name}.parquet" for name in ("training", "validation")},
            folder=folder,
            num_processes=MODEL.num_processes,
            num_threads=max(1, NUM_THREADS // MODEL.num_processes),
        )
        pq.write_table(training, job.tables["training"])
        pq.write_table(validation, job.tables["validation"])
        _train(job)
        model = artifact.open_folder(job.artifact, job.seal(), num_threads=NUM_THREADS)
    return lambda table: model.task.outputs(model.score(table))[:, 0]


def _train(job: Job) -> None:
    path = job.folder / "job.json"
    job.write(path)
    family = families.find(job.spec.settings.family)
    ended = subprocess.run(
        family.command(path, num_processes=job.num_processes),
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": str(job.num_threads)},
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
