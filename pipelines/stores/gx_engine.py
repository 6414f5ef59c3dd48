"""Great Expectations' Spark engine, fetching samples of bad values only where there are any.

The stock engine starts one Spark job an expectation to fetch samples, also when its count of bad
values is zero: 10 of the 15 jobs of a table with 13 expectations.
"""

from collections.abc import Iterable
from typing import Any, Literal

from great_expectations.datasource.fluent.spark_datasource import SparkDatasource
from great_expectations.execution_engine.sparkdf_execution_engine import SparkDFExecutionEngine
from great_expectations.validator.metric_configuration import MetricConfiguration

_SAMPLES, _COUNT = ".unexpected_values", ".unexpected_count"


class FewJobsEngine(SparkDFExecutionEngine):
    """Counts first; then samples, where the count is not zero."""

    def resolve_metrics(
        self,
        metrics_to_resolve: Iterable[MetricConfiguration],
        metrics: dict[Any, Any] | None = None,
        runtime_configuration: dict[str, Any] | None = None,
    ) -> dict[Any, Any]:
        """The values of these metrics; samples left out are asked for again in the next round."""
        asked, known = list(metrics_to_resolve), metrics or {}
        others = [metric for metric in asked if not metric.metric_name.endswith(_SAMPLES)]
        if others:
            return super().resolve_metrics(others, metrics, runtime_configuration)
        empty: dict[Any, Any] = {
            metric.id: [] for metric in asked if known.get(_count(metric).id) == 0
        }
        rest = [metric for metric in asked if metric.id not in empty]
        found = super().resolve_metrics(rest, metrics, runtime_configuration) if rest else {}
        return {**found, **empty}


def _count(sample: MetricConfiguration) -> MetricConfiguration:
    """The count of the bad values that `sample` shows some of."""
    values = {key: v for key, v in sample.metric_value_kwargs.items() if key != "result_format"}
    return MetricConfiguration(
        metric_name=sample.metric_name.removesuffix(_SAMPLES) + _COUNT,
        metric_domain_kwargs=sample.metric_domain_kwargs,
        metric_value_kwargs=values,
    )


class FewJobsSource(SparkDatasource):
    """A source of Spark frames with that engine."""

    type: Literal["spark_few_jobs"] = "spark_few_jobs"  # type: ignore[assignment]
    execution_engine_override = FewJobsEngine
