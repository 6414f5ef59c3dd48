"""Where a feature view reads its states: a published table of the lake, by its name."""

from collections.abc import Callable, Iterable
from typing import Any

from feast import RepoConfig, ValueType
from feast.data_source import DataSource
from feast.protos.feast.core.DataSource_pb2 import DataSource as DataSourceProto
from feast.type_map import pa_to_feast_value_type


class PublishedTable(DataSource):
    """A table by the name that readers know, such as `gold.flight_delays_tail_states`.

    Which version that is, the offline store says (`pipelines.stores.feast_offline`).
    """

    @property
    def table(self) -> str:
        """Its name in the lake's catalog, which is the source's own name."""
        return str(self.name)

    def source_type(self) -> Any:
        """One that Feast doesn't know itself."""
        return DataSourceProto.CUSTOM_SOURCE

    @staticmethod
    def from_proto(data_source: DataSourceProto) -> "PublishedTable":
        """The source as the registry has it."""
        return PublishedTable(
            name=data_source.name,
            timestamp_field=data_source.timestamp_field,
            created_timestamp_column=data_source.created_timestamp_column,
            field_mapping=dict(data_source.field_mapping),
            description=data_source.description,
            tags=dict(data_source.tags),
            owner=data_source.owner,
        )

    def _to_proto_impl(self) -> DataSourceProto:
        return DataSourceProto(
            name=self.name,
            type=DataSourceProto.CUSTOM_SOURCE,
            data_source_class_type=f"{__name__}.{type(self).__name__}",
            timestamp_field=self.timestamp_field,
            created_timestamp_column=self.created_timestamp_column,
            field_mapping=self.field_mapping,
            description=self.description,
            tags=self.tags,
            owner=self.owner,
            # Feast tells a source of somebody else's by this field being there.
            custom_options=DataSourceProto.CustomSourceOptions(configuration=b"{}"),
        )

    def validate(self, config: RepoConfig) -> None:
        """Applied before its first publication: there is nothing to look at yet."""

    def get_table_column_names_and_types(self, config: RepoConfig) -> Iterable[tuple[str, str]]:
        """Columns and their Arrow types."""
        from pipelines.stores.feast_jobs import schema

        return [(field.name, str(field.type)) for field in schema(config, self)]

    def get_table_query_string(self) -> str:
        """Its name in SQL."""
        return self.table

    @staticmethod
    def source_datatype_to_feast_value_type() -> Callable[[str], ValueType]:
        """Feast's type of an Arrow type's name."""
        return pa_to_feast_value_type
