"""What the journal says of a watched interval."""

from dataclasses import dataclass

from sqlalchemy import select

from pipelines.core import journal
from pipelines.core.stage import Context


@dataclass(frozen=True)
class Verdict:
    """Whether drift makes a retraining due, and why."""

    due: bool
    reason: str


def newest(context: Context) -> Verdict | None:
    """The newest verdict on the stage's interval; None: it was not watched."""
    table = journal.verdicts
    mine = select(table.c.due, table.c.reason).where(
        table.c.case_name == context.case.name,
        table.c.model == context.model.name,
        table.c.interval == context.interval.key,
    )
    with context.engine.connect() as connection:
        row = connection.execute(mine.order_by(table.c.id.desc()).limit(1)).first()
    return Verdict(row.due, row.reason) if row else None
