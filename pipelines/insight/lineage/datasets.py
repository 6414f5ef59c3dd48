"""The datasets of a stage run as OpenLineage has them: tables, files, views and the model."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.generated import column_lineage_dataset as columns
from openlineage.client.generated import data_quality_assertions_dataset as assertions
from openlineage.client.generated import output_statistics_output_dataset as statistics
from openlineage.client.generated.base import DatasetFacet, InputDatasetFacet, OutputDatasetFacet
from openlineage.client.generated.base_subset_dataset import (
    InputSubsetInputDatasetFacet,
    LocationSubsetCondition,
    OutputSubsetOutputDatasetFacet,
    Partition,
    PartitionSubsetCondition,
)
from openlineage.client.generated.dataset_version_dataset import DatasetVersionDatasetFacet
from openlineage.client.generated.documentation_dataset import DocumentationDatasetFacet
from openlineage.client.generated.schema_dataset import (
    SchemaDatasetFacet,
    SchemaDatasetFacetFields,
)
from openlineage.client.generated.storage_dataset import StorageDatasetFacet

from pipelines.core import outcomes
from pipelines.core.registry import Stage
from pipelines.insight.lineage.case import CaseLineage, Node, landing_name, model_name, view_name
from pipelines.insight.lineage.edges import Source
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import UseCase


@dataclass(frozen=True)
class Places:
    """Where datasets are: the namespace of tables, the landing's folder, the model registry."""

    namespace: str
    landing: str
    registry: str

    def of(self, node: str) -> tuple[str, str]:
        """Namespace and name of a node of the case's lineage."""
        layer, _, name = node.partition(".")
        if layer == "landing":
            return "file", f"{self.landing}/{name}"
        return (self.registry, name) if layer == "models" else (self.namespace, node)


@dataclass(frozen=True)
class Noted:
    """What the journal says of a run.

    Args:
        outcome: of one that failed an empty one, without details.
        checked: the findings of the run's checks, by table: version and `ops.validations.results`.
        published: rows of each table that the run published.
    """

    outcome: outcomes.Outcome[Any]
    checked: Mapping[str, tuple[int, Sequence[Mapping[str, Any]]]] = field(default_factory=dict)
    published: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Describer:
    """Describes the datasets of one stage run."""

    case: UseCase
    lineage: CaseLineage
    places: Places
    stage: Stage[Any]
    interval: Interval
    noted: Noted
    model: str | None = None

    def inputs(self) -> list[InputDataset]:
        """What the run read: tables at their versions, landing files, a model."""
        checked = {name: version for name, (version, _) in self.noted.checked.items()}
        read = {**checked, **self.noted.outcome.reads}
        found = [self._input(name, version) for name, version in read.items()]
        details = self.noted.outcome.details
        if isinstance(details, outcomes.Ingested):
            found += [self._files(feed, names) for feed, names in details.files.items()]
        number = self._model_used()
        if number is not None and self.model:
            found.append(self._input(model_name(self.case.name, self.model), number))
        return found

    def outputs(self) -> list[OutputDataset]:
        """What the run wrote, each with the columns that its columns come from."""
        writes = self.noted.outcome.writes.items()
        found = [self._output(name, v, self._rows(name)) for name, v in writes]
        match self.noted.outcome.details:
            case outcomes.Extracted():
                found += [
                    self._landing(feed, rows) for feed, rows in self.noted.outcome.rows.items()
                ]
            case outcomes.Materialized(online_as_of=online):
                views = ((view_name(self.case.name, state), at) for state, at in online.items())
                found += [self._output(view, at.isoformat()) for view, at in views]
            case outcomes.Trained(number=number) if self.model:
                found.append(self._output(model_name(self.case.name, self.model), number))
        return found

    def _model_used(self) -> int | None:
        """The version of the model that the run judged or used."""
        match self.noted.outcome.details:
            case outcomes.Predicted(model_version=number) | outcomes.Watched(model_version=number):
                return number
            case outcomes.Judged(version=number) | outcomes.RolledBack(version=number):
                return number
        return None

    def _rows(self, name: str) -> int | None:
        """The rows that the run wrote into a table."""
        rows, (layer, _, table) = self.noted.outcome.rows, name.partition(".")
        match self.noted.outcome.details:
            case outcomes.Transformed():
                return rows.get(name)
            case outcomes.Ingested():
                feed = table.removeprefix(f"{self.case.name}_")
                return rows.get(f"{feed}_{'kept' if layer == 'bronze' else 'quarantined'}")
            case outcomes.Assembled():
                return sum(rows.values())
            case outcomes.Predicted():
                return rows.get("new")
            case outcomes.Validated():
                return self.noted.published.get(name)
        return None

    def _input(
        self, name: str, version: Any, more: Mapping[str, InputDatasetFacet] | None = None
    ) -> InputDataset:
        namespace, place = self.places.of(name)
        own: dict[str, InputDatasetFacet] = {**(more or {})}
        if name in self.noted.checked:
            own["dataQualityAssertions"] = _assertions(self.noted.checked[name][1])
        return InputDataset(namespace, place, inputFacets=own, facets=self._facets(name, version))

    def _output(
        self,
        name: str,
        version: Any,
        rows: int | None = None,
        more: Mapping[str, OutputDatasetFacet] | None = None,
    ) -> OutputDataset:
        namespace, place = self.places.of(name)
        facets = self._facets(name, version)
        node = self.lineage.by_name.get(name)
        # A check reads the table that it publishes: it makes no column of it.
        if node and node.reads and self.stage.makes_versions:
            facets["columnLineage"] = column_lineage(node, self.places)
        own: dict[str, OutputDatasetFacet] = {**(more or {})}
        if rows is not None:
            own["outputStatistics"] = statistics.OutputStatisticsOutputDatasetFacet(rowCount=rows)
        return OutputDataset(namespace, place, outputFacets=own, facets=facets)

    def _files(self, feed: str, names: Iterable[str]) -> InputDataset:
        """The files of a feed that were read, by their names."""
        root = self.places.landing
        condition = LocationSubsetCondition([f"{root}/{name}" for name in names])
        subset = InputSubsetInputDatasetFacet(inputCondition=condition)
        return self._input(landing_name(self.case.name, feed), None, {"subset": subset})

    def _landing(self, feed: str, rows: int) -> OutputDataset:
        """The parts of a feed that were fetched."""
        parts = self.case.feed(feed).parts(self.interval, self.case.grain)
        condition = PartitionSubsetCondition([Partition({"part": part.key}) for part in parts])
        subset = OutputSubsetOutputDatasetFacet(outputCondition=condition)
        return self._output(landing_name(self.case.name, feed), None, rows, {"subset": subset})

    def _facets(self, name: str, version: Any) -> dict[str, DatasetFacet]:
        facets: dict[str, DatasetFacet] = {}
        if version is not None:
            facets["version"] = DatasetVersionDatasetFacet(datasetVersion=str(version))
        node = self.lineage.by_name.get(name)
        if node:
            fields = [SchemaDatasetFacetFields(name, kind) for name, kind in node.columns.items()]
            facets["schema"] = SchemaDatasetFacet(fields=fields)
            facets["documentation"] = DocumentationDatasetFacet(description=node.title)
        if node and node.kind == "table":
            facets["storage"] = StorageDatasetFacet(storageLayer="delta", fileFormat="parquet")
        return facets


def column_lineage(node: Node, places: Places) -> columns.ColumnLineageDatasetFacet:
    """Each column's sources; what decides which rows there are is of the dataset as a whole."""
    fields = {
        name: columns.Fields(inputFields=_input_fields(value.sources, places))
        for name, value in node.relation.columns.items()
        if value.sources
    }
    rows = _input_fields(node.relation.rows, places)
    return columns.ColumnLineageDatasetFacet(fields=fields, dataset=rows)


def _input_fields(sources: Iterable[Source], places: Places) -> list[columns.InputField]:
    hows: dict[Any, list[columns.Transformation]] = {}
    for source in sorted(sources):
        kind = "DIRECT" if source.how.is_direct else "INDIRECT"
        hows.setdefault(source.field, []).append(columns.Transformation(kind, source.how.value))
    return [
        columns.InputField(*places.of(each.table), each.column, transformations)
        for each, transformations in hows.items()
    ]


def _assertions(
    results: Sequence[Mapping[str, Any]],
) -> assertions.DataQualityAssertionsDatasetFacet:
    return assertions.DataQualityAssertionsDatasetFacet(
        assertions=[
            assertions.Assertion(
                assertion=found["expectation"],
                success=bool(found["success"]),
                column=found["column"] or None,
                severity=found["severity"],
                actual=None if found["observed"] is None else str(found["observed"]),
                description=found["because"] or None,
            )
            for found in results
        ]
    )
