"""Forecasts and rankings are proposed as they were."""

import pytest

from tests import golden_proposals


@pytest.mark.parametrize("name", golden_proposals.ASKS)
def test_the_proposal_is_the_golden_one(name, tmp_path):
    golden = (golden_proposals.FOLDER / f"{name}.txt").read_text(encoding="utf-8")
    assert golden_proposals.proposal(name, tmp_path) == golden, "see tests/golden_proposals.py"
