"""Pictures of a training: those of its task, and the losses by epoch."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def write(
    folder: Path,
    drawn: "Mapping[str, Callable[[Axes], None]]",
    history: Sequence[Mapping[str, Any]],
) -> None:
    """Write a PNG for each picture into a new folder, and `loss.png` where there is a history."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    folder.mkdir(parents=True)
    pictures = dict(drawn)
    if history:
        pictures["loss"] = partial(_loss, history=history)
    for name, draw in pictures.items():
        figure, axes = plt.subplots(figsize=(5, 4), layout="constrained")
        draw(axes)
        figure.savefig(folder / f"{name}.png", dpi=120)
        plt.close(figure)


def _loss(axes: "Axes", history: Sequence[Mapping[str, Any]]) -> None:
    boosters = list(dict.fromkeys(each.get("booster", "") for each in history))
    for booster in boosters:
        own = [each for each in history if each.get("booster", "") == booster]
        for name in ("training_loss", "validation_loss"):
            points = [(each["epoch"], each[name]) for each in own if name in each]
            if points:
                axes.plot(*zip(*points, strict=True), label=f"{booster} {name}".strip())
    axes.legend()
    axes.set(title="Loss", xlabel="epoch")
