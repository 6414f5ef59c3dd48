"""Three pictures of a training: ROC curve, calibration, loss by epoch."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def write(folder: Path, label: Any, probability: Any, history: Sequence[Mapping[str, Any]]) -> None:
    """Write `roc.png`, `calibration.png` and `loss.png` into a new folder."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    folder.mkdir(parents=True)
    pictures = {
        "roc": partial(_roc, label=label, probability=probability),
        "calibration": partial(_calibration, label=label, probability=probability),
        "loss": partial(_loss, history=history),
    }
    for name, draw in pictures.items():
        figure, axes = plt.subplots(figsize=(5, 4), layout="constrained")
        draw(axes)
        figure.savefig(folder / f"{name}.png", dpi=120)
        plt.close(figure)


def _roc(axes: "Axes", label: Any, probability: Any) -> None:
    from sklearn.metrics import roc_curve  # type: ignore[import-untyped]

    false_rate, true_rate, _ = roc_curve(label, probability)
    axes.plot(false_rate, true_rate)
    axes.plot([0, 1], [0, 1], "--", color="grey")
    axes.set(
        title="ROC, evaluation rows", xlabel="false positive rate", ylabel="true positive rate"
    )


def _calibration(axes: "Axes", label: Any, probability: Any) -> None:
    from sklearn.calibration import calibration_curve  # type: ignore[import-untyped]

    observed, said = calibration_curve(label, probability, n_bins=15, strategy="quantile")
    axes.plot(said, observed, marker="o")
    axes.plot([0, 1], [0, 1], "--", color="grey")
    axes.set(title="Calibration, 15 bins of equal size", xlabel="probability", ylabel="frequency")


def _loss(axes: "Axes", history: Sequence[Mapping[str, Any]]) -> None:
    epochs = range(1, len(history) + 1)
    for name in ("training_loss", "validation_loss"):
        axes.plot(epochs, [epoch[name] for epoch in history], marker="o", label=name)
    axes.legend()
    axes.set(title="Log loss", xlabel="epoch", ylabel="nats")
