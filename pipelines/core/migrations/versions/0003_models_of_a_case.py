"""A case has any number of models, and a model any metric.

What a case's one model left belongs to the model that it is called now: `late` of flight_delays,
`model` of every other case (CHANGELOG.md says the same to people). As before, an attempt of the
code before, whose fence is gone, may not commit.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_NAME = "case when case_name = 'flight_delays' then 'late' else 'model' end"
_OF_DATA = (
    "'extract', 'ingest', 'validate_raw', 'transform', 'validate_features', 'materialize', "
    "'validate'"
)

_PROMOTIONS = """
update ops.promotions set
    metric = case when roc_auc is null then null else 'roc_auc' end,
    value = roc_auc,
    evidence = case
        when evidence::jsonb ? 'num_rows' then (
            (evidence::jsonb - 'roc_auc')
            || jsonb_build_object('metric', 'roc_auc', 'value', evidence::jsonb -> 'roc_auc')
        )::json
        else evidence
    end
"""

# What was said of the answers' quality is named as the metrics are, and answers are several.
_QUALITY = """
    jsonb_strip_nulls(
        (statistics::jsonb -> '{0}') - 'num_labelled'
        || jsonb_build_object('num_rows', statistics::jsonb -> '{0}' -> 'num_labelled')
    )
"""
_VERDICTS = f"""
update ops.verdicts set statistics = (
    (statistics::jsonb - 'prediction')
    || jsonb_build_object(
        'quality', {_QUALITY.format("quality")},
        'quality_of_reference', {_QUALITY.format("quality_of_reference")}
    )
    || case
        when statistics::jsonb ? 'prediction'
        then jsonb_build_object('answers', jsonb_build_array(statistics::jsonb -> 'prediction'))
        else '{{}}'::jsonb
    end
)::json
where statistics::jsonb ? 'quality'
"""


def upgrade() -> None:
    op.execute("delete from ops.fences")
    for table in ("runs", "promotions", "verdicts"):
        op.add_column(table, sa.Column("model", sa.String), schema="ops")
    op.execute(f"update ops.runs set model = {_NAME} where stage not in ({_OF_DATA})")
    for table in ("promotions", "verdicts"):
        op.execute(f"update ops.{table} set model = {_NAME}")
        op.alter_column(table, "model", nullable=False, schema="ops")
    op.add_column("promotions", sa.Column("metric", sa.String), schema="ops")
    op.add_column("promotions", sa.Column("value", sa.Double), schema="ops")
    op.execute(_PROMOTIONS)
    op.drop_column("promotions", "roc_auc", schema="ops")
    op.execute(_VERDICTS)
