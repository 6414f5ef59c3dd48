"""Which rank is named when the ranks can't talk any more (R21)."""

import pytest
import torch

from models.errors import DataRefused, RankLost
from models.tabular_net.ranks import ALONE, Ranks


class Store(dict[str, str]):
    """Stands in for the store that torchrun keeps."""

    def set(self, key: str, value: str) -> None:
        self[key] = value

    def check(self, keys: list[str]) -> bool:
        return set(keys) <= set(self)


def lost(steps: dict[int, int], error: Exception) -> None:
    """As rank 0 of 3, an error after each rank has reached its step."""
    store = Store()
    for each, step in steps.items():
        Ranks(each, 3, store=store).reached(step)  # type: ignore[arg-type]
    with Ranks(0, 3, store=store).guarded():  # type: ignore[arg-type]
        raise error


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ({0: 7, 1: 6, 2: 7}, "rank 1 of 3 died or hangs at step 6, while rank 0 waited"),
        ({0: 7, 1: 6, 2: 5}, "rank 1, 2 of 3 died or hangs at step 5"),
        ({0: 7, 2: 7}, "rank 1 of 3 died or hangs at step 7"),  # never reached a step
        ({0: 6, 1: 7, 2: 6}, "rank 2 of 3"),  # this rank itself waits: it is not lost
        ({0: 7, 1: 7, 2: 7}, "rank 1, 2 of 3"),  # all as far: one of the others
        ({}, "rank 0, 1, 2 of 3 died or hangs at step 0"),
    ],
)
def test_r21_the_ranks_that_are_behind_are_named(steps: dict[int, int], says: str) -> None:
    with pytest.raises(RankLost, match=says):
        lost(steps, RuntimeError("[gloo] Connection closed by peer"))


def test_an_error_of_the_training_itself_is_no_lost_rank() -> None:
    with pytest.raises(RuntimeError, match="shapes do not match"):
        lost({0: 1}, RuntimeError("shapes do not match"))
    with pytest.raises(DataRefused):
        lost({0: 1}, DataRefused("x"))
    with pytest.raises(RuntimeError, match="gloo"), ALONE.guarded():
        raise RuntimeError("gloo, but alone")


def test_a_sum_leaves_what_was_summed() -> None:
    values = torch.ones(2)
    total = ALONE.sum(values)
    total += 1
    assert values.tolist() == [1, 1]
