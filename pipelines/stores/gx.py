"""Great Expectations, quiet: validations of many tables in one run, results in files."""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations import ValidationDefinition
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.data_context.data_context.ephemeral_data_context import (
        EphemeralDataContext,
    )
    from great_expectations.expectations.expectation import Expectation
    from pyspark.sql import DataFrame

Result: TypeAlias = "ExpectationSuiteValidationResult"

# A batch is a chain of short Spark jobs, so several wait at once; more than this gains nothing
# on two cores.
_THREADS = 3
# The folders of a context's own folder.
RESULTS, DOCS = "results", "docs"
# BASIC computes counts in one aggregate a table; only samples of bad values cost more.
_RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 10}


@dataclass(frozen=True)
class Batch:
    """Rows of one table, and what is expected of them."""

    table: str
    frame: "DataFrame | pd.DataFrame"
    expectations: "Sequence[Expectation]"


def open_context(folder: Path) -> "EphemeralDataContext":
    """A context that keeps results, and Data Docs when they are built, under `folder`.

    Definitions live in our code.
    """
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    defaults = InMemoryStoreBackendDefaults()
    defaults.stores[defaults.validation_results_store_name]["store_backend"] = _files(
        folder / RESULTS, filepath_suffix=".json"
    )
    site = {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": _files(folder / DOCS),
    }
    config = DataContextConfig(
        store_backend_defaults=defaults,
        data_docs_sites={"docs": site},
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
    )
    return gx.get_context(mode="ephemeral", project_config=config)


def _files(folder: Path, **options: str) -> dict[str, str]:
    kind = "TupleFilesystemStoreBackend"
    return {"class_name": kind, "base_directory": str(folder), **options}


def validate(
    context: "EphemeralDataContext", batches: Sequence[Batch], run_name: str
) -> Mapping[str, Result]:
    """Run every batch's expectations; the results by table, kept in the context's files too."""
    import great_expectations as gx
    import pandas as pd

    run_id = gx.RunIdentifier(run_name=run_name)
    definitions = [_definition(context, batch, run_name) for batch in batches]

    def run(definition: "ValidationDefinition", batch: Batch) -> Result:
        try:
            return definition.run(
                batch_parameters={"dataframe": batch.frame},
                result_format=_RESULT_FORMAT,
                run_id=run_id,
            )
        finally:
            if not isinstance(batch.frame, pd.DataFrame):
                batch.frame.unpersist()  # Great Expectations caches what it is given

    with ThreadPoolExecutor(_THREADS) as pool:
        results = pool.map(run, definitions, batches)
        return {batch.table: result for batch, result in zip(batches, results, strict=True)}


def _definition(
    context: "EphemeralDataContext", batch: Batch, run_name: str
) -> "ValidationDefinition":
    """One source a table: a source has one engine, which serves one batch at a time."""
    import great_expectations as gx
    import pandas as pd

    import pipelines.stores.gx_engine  # noqa: F401  (its import adds `add_spark_few_jobs`)

    local = isinstance(batch.frame, pd.DataFrame)
    sources = context.data_sources
    source = (sources.add_pandas if local else sources.add_spark_few_jobs)(batch.table)
    asset = source.add_dataframe_asset(run_name)
    suite = gx.ExpectationSuite(name=batch.table, expectations=list(batch.expectations))
    return context.validation_definitions.add(
        gx.ValidationDefinition(
            name=batch.table,
            data=asset.add_batch_definition_whole_dataframe("interval"),
            suite=context.suites.add(suite),
        )
    )
