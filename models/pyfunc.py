"""What MLflow calls to load a model for somebody without Millrace: `mlflow.pyfunc.load_model`.

Packed beside an artifact under another package's name (`pipelines/learning/train/flavour.py`); the
platform itself does not come here.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa  # type: ignore[import-untyped]

from models import artifact

if TYPE_CHECKING:
    import pandas as pd


class Answers:
    """An opened model that takes and gives frames of pandas.

    Example:
        >>> predict = Answers.predict  # model.predict(frame) -> a frame, an answer a row
    """

    def __init__(self, model: artifact.Model) -> None:
        self._model = model

    def predict(self, frame: "pd.DataFrame", params: Any = None) -> "pd.DataFrame":
        """An answer a row; `params` are the options of the model's family.

        Raises:
            DataRefused: a column is absent or of the wrong kind.
        """
        table = pa.Table.from_pandas(frame, preserve_index=False)
        answers = self._model.score(table, params or {})
        answered: pd.DataFrame = answers.to_pandas(maps_as_pydicts="strict")
        return answered.set_index(frame.index)


def _load_pyfunc(path: str) -> Answers:
    """MLflow's name for it; the folder is compared with its own manifest."""
    folder = Path(path)
    digest = artifact.sha256_of(folder / artifact.MANIFEST)
    return Answers(artifact.open_folder(folder, digest))
