"""The stages by name, as the Dags chain them: written once for the tests."""

from collections.abc import Mapping

from pipelines.core import registry

DATA = tuple(
    stage.name
    for stage in (
        registry.EXTRACT,
        registry.INGEST,
        registry.VALIDATE_RAW,
        registry.TRANSFORM,
        registry.VALIDATE_FEATURES,
        registry.MATERIALIZE,
    )
)
TRAINING = tuple(
    stage.name
    for stage in (
        registry.DUE_TRAINING,
        registry.ASSEMBLE,
        registry.VALIDATE_TRAINING_SET,
        registry.TRAIN,
        registry.PROMOTE,
    )
)
# The Dag of a training ends with a look for leaks.
TRAINED = (*TRAINING, registry.LEAKS.name)
PREDICTION = (registry.PREDICT.name, registry.VALIDATE_PREDICTIONS.name)
WATCH = (registry.MONITOR.name, registry.DUE_DRIFT.name)

# Which stages a Dag runs, after its check of the key.
FLOWS: Mapping[str, tuple[str, ...]] = {
    "build_features": DATA,
    "load_history": DATA,
    "train_model": TRAINED,
    "predict_batch": PREDICTION,
    "watch_drift": WATCH,
}
