"""What Alembic runs for `pipelines.core.migrations`: on the connection it is given, never alone."""

from alembic import context

from pipelines.core.journal import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table_schema=metadata.schema,
)
context.run_migrations()
