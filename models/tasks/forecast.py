"""How much ahead: a median and an interval for each series and hour to come, beside a naive one.

Shape suffixes: B rows, Q quantiles, U units, R draws.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]

from models.tasks.levels import Levels
from models.tasks.means import divided, summed
from models.tasks.regression import Regression, absolute_errors
from models.tasks.task import Array, Evidence, Metric


@dataclass(frozen=True, kw_only=True)
class Forecast(Regression):
    """A regression on what is to come, judged against a naive forecast that each row has.

    Args:
        naive: the input that is the naive forecast, such as the value a week before.
        published: the input that says whether the plan of the hour was known; without it a
            forecast is as good as the calendar, so that such rows are judged apart, too. None:
            nothing is planned.
        minimum: below which no answer is; None: any number is one.
        levels: how answers add up; None: each is alone.

    Example:
        >>> Forecast(naive="num_flights_168h_before", published="is_published").quantiles[0]
        0.09999999999999998
    """

    name: ClassVar[str] = "forecast"
    naive: str
    published: str | None = None
    minimum: float | None = None
    levels: Levels | None = None

    @property
    def together(self) -> tuple[str, ...]:
        """By the first of what makes a whole: workers are asked few large parts."""
        return self.levels.by[:1] if self.levels else ()

    @property
    def beside(self) -> tuple[str, ...]:
        return (self.naive, self.published) if self.published else (self.naive,)

    @property
    def answer(self) -> pa.Schema:
        found = super().answer
        if self.minimum is None:
            return found
        low = found.field("low")
        bounded = low.with_metadata({**low.metadata, b"low": str(self.minimum).encode()})
        return found.set(0, bounded)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        lost = {metric.name: metric for metric in super().metrics}
        del lost["d2_pinball_score"]
        return (
            Metric(
                name="pinball_skill_score",
                title="Pinball loss saved against the naive forecast",
                higher_is_better=True,
                value=self._skill,
                draws=self._skill_draws,
                floor=0.0,
                loss_max=0.01,
            ),
            Metric(
                name="mase",
                title="Absolute error as a share of the naive forecast's",
                higher_is_better=False,
                value=self._scaled_error,
                draws=self._scaled_error_draws,
            ),
            *([self._unpublished_skill] if self.published else []),
            *lost.values(),
        )

    def answered(self, output_BO: Array) -> pa.Table:
        bounded = output_BO if self.minimum is None else np.maximum(output_BO, self.minimum)
        return super().answered(bounded)

    @property
    def _unpublished_skill(self) -> Metric:
        return Metric(
            name="pinball_skill_score_unpublished",
            title="The same where no plan was published",
            higher_is_better=True,
            value=lambda evidence: self._skill(self.unpublished(evidence)),
            draws=lambda evidence, weight_RU: self._skill_draws(
                self.unpublished(evidence), weight_RU
            ),
        )

    def unpublished(self, evidence: Evidence) -> Evidence:
        """The rows whose plan was not known; where nothing is planned all."""
        if self.published is None:
            return evidence
        return evidence.where(evidence.beside[self.published] != 1)

    def _skill(self, evidence: Evidence) -> float | None:
        """The share of pinball loss saved against the naive forecast and its own errors' quantiles.

        The errors' quantiles are those of the very rows that are judged, which nobody knows
        beforehand: whoever saves anything beats every interval of one width around the naive one.
        """
        return self._d2(self._less_naive(evidence))

    def _skill_draws(self, evidence: Evidence, weight_RU: Array) -> Array:
        return self._d2_draws(self._less_naive(evidence), weight_RU)

    def _less_naive(self, evidence: Evidence) -> Evidence:
        """Labels and answers as differences to the naive forecast: pinball loss stays as it is."""
        naive_B = evidence.beside[self.naive]
        return replace(
            evidence,
            label_B=evidence.label_B - naive_B,
            answer_BO=evidence.answer_BO - naive_B[:, None],
        )

    def _scaled_error(self, evidence: Evidence) -> float | None:
        """The mean absolute error by that of the naive forecast on the same rows.

        So scaled since Hyndman and Koehler, 2006, who take the naive forecast's error on the rows
        that were learned from; on the same rows both meet the same weather.
        """
        found = float(self._scaled_error_draws(evidence, np.ones((1, evidence.num_units)))[0])
        return None if np.isnan(found) else found

    def _scaled_error_draws(self, evidence: Evidence, weight_RU: Array) -> Array:
        naive_B = np.abs(evidence.label_B - evidence.beside[self.naive])
        ours_R = summed(weight_RU, absolute_errors(evidence), evidence.unit_B)
        return divided(ours_R, summed(weight_RU, naive_B, evidence.unit_B))
