"""LightGBM's text of a model, looked at before its parser is.

The parser ends the process, without an exception, where a text is cut or a tree is not where the
head says. What was written whole and has its digest still is what LightGBM wrote.
"""

import re
from itertools import accumulate
from pathlib import Path

import lightgbm

from models.errors import ModelRefused

_HEAD = b"tree\nversion=v4\n"
_END = b"end of trees\n"
_TAIL = b"pandas_categorical:null\n"


def is_whole(content: bytes) -> bool:
    """Whether it begins and ends as LightGBM's texts do, each tree where the head says."""
    head, _, trees = content.partition(b"\n\n")
    found = re.search(rb"^tree_sizes=([0-9 ]+)$", head, re.MULTILINE)
    if not content.startswith(_HEAD) or not content.endswith(_TAIL) or found is None:
        return False
    places = [0, *accumulate(int(size) for size in found[1].split())]
    begins = (trees.startswith(b"Tree=%d\n" % tree, at) for tree, at in enumerate(places[:-1]))
    return content.isascii() and all(begins) and trees.startswith(_END, places[-1])


def booster(path: Path, num_inputs: int, num_outputs: int) -> lightgbm.Booster:
    """Read a text of ours.

    Raises:
        ModelRefused: it is not whole, can't be read, or has other inputs and outputs.
    """
    content = path.read_bytes() if path.exists() else b""
    if not is_whole(content):
        raise ModelRefused(
            f"{path.name} is no whole text of LightGBM; register only what train wrote"
        )
    try:
        found = lightgbm.Booster(model_str=content.decode())
    except lightgbm.basic.LightGBMError as error:
        raise ModelRefused(f"{path.name} can't be read ({error}); restore it") from error
    size = (found.num_feature(), found.num_model_per_iteration())
    if size != (num_inputs, num_outputs):
        raise ModelRefused(
            f"{path.name} has {size[0]} inputs and {size[1]} outputs, its manifest says "
            f"{num_inputs} and {num_outputs}; restore it, or roll back"
        )
    return found
