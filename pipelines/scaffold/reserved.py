"""Names that a column can't have: what stages call their own columns, and words of SQL."""

import re

# What ingest, transform, Feast, assemble, predict and validate call their own columns.
_OURS = """
    event_at known_at known_date ingested_at source_file source_line part_start raw reasons problem
    refusal unknown text failed is_bad place is_batch decided_at decided_on decided_date
    predicted_at label_known_at part model_version interval attempt event_timestamp
    created_timestamp population instant measure value days from_at to_at previous_date valid_until
    change enters_at leaves_at next_instant num_rows_off seconds_off_grid
"""
# The fields of the answers of every task, the unit by which they are drawn (models/tasks), and what
# the champion's evaluation rows call what came of them.
_ANSWERS = "probability prediction low high predicted_class probabilities day label"
# What Spark SQL, DuckDB or the parser of lineage reads as grammar where a name may stand.
_SQL = """
    all alter analyse analyze and anti any array as asc asof asymmetric at authorization between
    binary both by case cast check collate collation column concurrently constraint create cross
    current_date current_time current_timestamp current_user default deferrable desc describe
    distinct do drop else end except exists false fetch for foreign freeze from full glob grant
    group having if ilike in initially inner insert intersect into is isnull join lambda lateral
    leading left like limit localtimestamp minus natural not notnull null off offset on only or
    order outer overlaps partitioned_by pivot pivot_longer pivot_wider placing positional primary
    qualify references regexp returning revoke right rlike rollback select semi serdeproperties
    session_user set setminus show similar some struct summarize symmetric table tablesample then
    to trailing true uncache union unique unpack unpivot user using values variadic verbose view
    when where window with xor yes no
"""
RESERVED = frozenset(f"{_OURS} {_ANSWERS} {_SQL}".split())
# What a generated state calls its features, and the sums that they are made of.
FEATURE = re.compile(r"(?:num|total|label)_\w*(?:7|28)d", re.ASCII)

# What the tables of one task alone are made of, and its answers.
_OF_TASK = {
    "ranking": """
        user_id item_id asked_at first_night asked num_taken num_taken_at_once taken items scores
        popularity unseen_share is_fallback
    """,
    "forecast": """
        target_at horizon_hours horizon_days day_ahead utc_hour local_hour local_weekday local_month
        history hours
    """,
}


def reserved(task: str | None) -> frozenset[str]:
    """The names that no column of a case of this task can have."""
    return RESERVED | frozenset(_OF_TASK.get(task or "", "").split())
