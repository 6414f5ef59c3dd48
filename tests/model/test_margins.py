"""An interval holds what it promises on rows that the model has not learned from."""

from pathlib import Path

import numpy as np
import pytest

from models import margins
from models.errors import ModelRefused
from models.margins import MARGINS
from models.tasks import Regression

SEED = 5


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("width", [0.1, 1.0, 5.0])
def test_each_tail_has_its_share_of_the_rows_and_no_more(coverage: float, width: float) -> None:
    """Whether the ends were too near or too far, by counting."""
    print(f"seed {SEED}")
    rng = np.random.default_rng(SEED)
    label, task = rng.gamma(2.0, 3.0, 4001), Regression(coverage=coverage)
    said = np.column_stack([np.full(4001, 5 - width), np.full(4001, 5.0), np.full(4001, 5 + width)])
    low, middle, high = (said + margins.learned(task, label, said)).T
    tail = (1 - coverage) / 2
    assert np.mean(label < low) == pytest.approx(tail, abs=1 / 1000)
    assert np.mean(label > high) == pytest.approx(tail, abs=1 / 1000)
    assert np.mean((low <= label) & (label <= high)) >= coverage
    np.testing.assert_array_equal(middle, 5.0)


def test_of_few_rows_the_worst_counts() -> None:
    """A tail of a tenth can't be told by five rows: none of them is left out."""
    label = np.array([1.0, 2.0, 3.0, 4.0, 10.0])
    said = np.tile([2.0, 3.0, 4.0], (5, 1))
    np.testing.assert_array_equal(margins.learned(Regression(), label, said), [-1.0, 0.0, 6.0])


def test_they_are_read_back(tmp_path: Path) -> None:
    margins.write(tmp_path, np.array([-1.5, 0.0, 2.25]))
    np.testing.assert_array_equal(margins.read(tmp_path), [-1.5, 0.0, 2.25])


@pytest.mark.parametrize(
    "content", [None, "", "[]", '{"margins": [1, 2]}', '{"margins": [0, 0, "far"]}',
                '{"margins": [0, 0, NaN]}', '{"margins": 1}'],
)  # fmt: skip
def test_what_does_not_say_them_is_refused(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / MARGINS).write_text(content)
    with pytest.raises(ModelRefused, match=f"{MARGINS} does not say how far"):
        margins.read(tmp_path)
