"""How far an interval's ends are moved, so that it holds the share of labels that it promises.

Shape suffixes: B rows, Q quantiles.
"""

import json
import math
from pathlib import Path

import numpy as np

from models.errors import ModelRefused
from models.files import write_json
from models.tasks import Regression
from models.tasks.regression import HIGH, LOW
from models.tasks.task import Array

MARGINS = "margins.json"


def learned(task: Regression, label_B: Array, output_BQ: Array) -> Array:
    """What is added to low, middle and high, [Q], by rows that the model has not learned from.

    Trees learn their own rows too well, so that their quantiles lie too close: of the flights' 80 %
    intervals 73 % held. Each end is moved by that quantile of its misses that leaves its tail the
    promised share: conformalized quantile regression (Romano et al., 2019), an end at a time.
    """
    tail, _, _ = task.quantiles
    share = min(1.0, (1 - tail) * (1 + 1 / len(label_B)))
    below = np.quantile(output_BQ[:, LOW] - label_B, share, method="higher")
    above = np.quantile(label_B - output_BQ[:, HIGH], share, method="higher")
    return np.array([-below, 0.0, above])


def write(folder: Path, margin_Q: Array) -> None:
    """Keep them beside the model."""
    write_json(folder / MARGINS, {"margins": margin_Q.tolist()})


def read(folder: Path) -> Array:
    """Read what `write` wrote.

    Raises:
        ModelRefused: they are not three finite numbers.
    """
    try:
        found = [float(each) for each in json.loads((folder / MARGINS).read_text())["margins"]]
    except (KeyError, OSError, TypeError, ValueError):
        found = []
    if len(found) != 3 or not all(map(math.isfinite, found)):  # noqa: PLR2004
        raise ModelRefused(
            f"{MARGINS} does not say how far the ends are moved; restore it, or roll back to an "
            "earlier version"
        )
    return np.array(found)
