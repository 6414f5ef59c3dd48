"""Stages take leases of what they write, no longer of the whole case; each check has its stage.

No fence is kept: it only tells the newest of running attempts, and an attempt of the code before,
which finds none of its own, may not commit.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# By what was checked: an attempt that ended before that stays `validate`.
_VALIDATE = """
update ops.runs set stage = judged.stage
from (
    select
        attempt,
        case
            when bool_or(layer in ('bronze', 'quarantine')) then 'validate_raw'
            when bool_or(table_name like 'gold.%\\_predictions') then 'validate_predictions'
            else 'validate_features'
        end as stage
    from ops.validations
    group by attempt
) as judged
where runs.stage = 'validate' and runs.attempt = judged.attempt
"""

# Only for a training it noted what that would learn from; one that was not due stays `due`.
_DUE = """
update ops.runs set stage =
    case when result -> 'details' -> 'state' is null then 'due_drift' else 'due_training' end
where stage = 'due' and state = 'done'
"""


def upgrade() -> None:
    op.execute("delete from ops.fences")
    op.add_column("fences", sa.Column("lease", sa.String, nullable=False), schema="ops")
    op.drop_constraint("fences_pkey", "fences", schema="ops")
    op.create_primary_key("fences_pkey", "fences", ["case_name", "lease"], schema="ops")
    op.execute(_VALIDATE)
    op.execute(_DUE)
