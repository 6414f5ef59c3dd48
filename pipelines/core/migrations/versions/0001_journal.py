"""The journal as it was when its revisions began.

A home from before has its tables, all or the older ones, and no revision: those missing are made.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

FROZEN = sa.MetaData(schema="ops")


def _instant(name: str) -> sa.Column:  # type: ignore[type-arg]
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)


sa.Table(
    "runs",
    FROZEN,
    sa.Column("attempt", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("case_name", sa.String, nullable=False, index=True),
    sa.Column("stage", sa.String, nullable=False),
    sa.Column("interval", sa.String, nullable=False),
    _instant("started_at"),
    sa.Column("ended_at", sa.DateTime(timezone=True)),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("error", sa.String),
    sa.Column("result", sa.JSON),
    sa.Column("wall_seconds", sa.Double),
    sa.Column("cpu_seconds", sa.Double),
    sa.Column("peak_memory_mib", sa.Double),
    sa.Column("code_version", sa.String),
    sa.Column("airflow_run", sa.String),
)

sa.Table(
    "fences",
    FROZEN,
    sa.Column("case_name", sa.String, primary_key=True),
    sa.Column("attempt", sa.BigInteger, nullable=False),
)

sa.Table(
    "builds",
    FROZEN,
    sa.Column("table_name", sa.String, primary_key=True),
    sa.Column("case_name", sa.String, nullable=False),
    sa.Column("interval", sa.String, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("attempt", sa.BigInteger, nullable=False),
)

sa.Table(
    "published",
    FROZEN,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("case_name", sa.String, nullable=False, index=True),
    sa.Column("table_name", sa.String, nullable=False, index=True),
    sa.Column("interval", sa.String, nullable=False),
    sa.Column("until", sa.DateTime(timezone=True), nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("attempt", sa.BigInteger, nullable=False),
    _instant("published_at"),
)

sa.Table(
    "validations",
    FROZEN,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("case_name", sa.String, nullable=False, index=True),
    sa.Column("layer", sa.String, nullable=False),
    sa.Column("table_name", sa.String, nullable=False),
    sa.Column("interval", sa.String, nullable=False),
    sa.Column("attempt", sa.BigInteger, nullable=False),
    sa.Column("passed", sa.String, nullable=False),
    sa.Column("statistics", sa.JSON, nullable=False),
    sa.Column("results", sa.JSON, nullable=False),
    sa.Column("page", sa.String),
    _instant("validated_at"),
)

sa.Table(
    "materialized",
    FROZEN,
    sa.Column("case_name", sa.String, primary_key=True),
    sa.Column("feature_view", sa.String, primary_key=True),
    sa.Column("until", sa.DateTime(timezone=True), nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("attempt", sa.BigInteger, nullable=False),
)

sa.Table(
    "promotions",
    FROZEN,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("case_name", sa.String, nullable=False, index=True),
    sa.Column("interval", sa.String, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("decision", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("champion_before", sa.BigInteger),
    sa.Column("cutoff", sa.DateTime(timezone=True), nullable=False),
    sa.Column("roc_auc", sa.Double),
    sa.Column("evidence", sa.JSON, nullable=False),
    sa.Column("attempt", sa.BigInteger, nullable=False),
    _instant("decided_at"),
)

sa.Table(
    "verdicts",
    FROZEN,
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("case_name", sa.String, nullable=False, index=True),
    sa.Column("interval", sa.String, nullable=False),
    sa.Column("until", sa.DateTime(timezone=True), nullable=False),
    sa.Column("model_version", sa.BigInteger, nullable=False),
    sa.Column("drifted", sa.Boolean),
    sa.Column("due", sa.Boolean, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("statistics", sa.JSON, nullable=False),
    sa.Column("page", sa.String),
    sa.Column("attempt", sa.BigInteger, nullable=False),
    _instant("judged_at"),
)


def upgrade() -> None:
    FROZEN.create_all(op.get_bind())
