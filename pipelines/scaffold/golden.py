"""The golden sample of a case, and what its own test finds in it."""

import csv
from collections import Counter
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipelines.data.extract.publications import Publishing
from pipelines.data.extract.tables import days, rows_of
from pipelines.data.reading.files import FileTable
from pipelines.scaffold.infer import Proposal
from pipelines.scaffold.literals import call, exploded, quoted
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Column, Feed


def text_of(proposal: Proposal) -> str:
    """The golden sample with the texts of the source, as plain CSV whatever the source is."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(proposal.sample.column_names)
    writer.writerows(zip(*(column.to_pylist() for column in proposal.sample.columns), strict=True))
    return text.getvalue()


def expected(proposal: Proposal, golden: str) -> dict[str, Any]:
    """What the case's own test finds in the golden sample: what the source makes of it now."""
    columns = [Column(each.name, each.type, "") for each in proposal.inputs]
    times = (Column("event_at", "timestamp", ""), Column("known_at", "timestamp", ""))
    label = Column(proposal.label, proposal.target.type, "")
    feed = Feed(
        name="rows",
        description="",
        format="parquet",
        columns=(*columns, label, *times),
        key=proposal.key,
    )
    with TemporaryDirectory() as folder:
        sample = Path(folder, "sample.csv")
        sample.write_text(golden, encoding="utf-8", newline="")
        table = FileTable(str(sample), (Path(folder),))
        found = days(table, Publishing(shape=proposal.shape, columns=feed.columns))
        interval = Interval.parse(f"{found[0]}/{found[-1]}")
        rows = rows_of(table, proposal.shape, feed, interval)
    first = rows.select(feed.column_names).slice(0, 1).to_pylist()[0]
    items = [f"{quoted(name)}: {quoted(str(value))}" for name, value in first.items()]
    return {
        "sample_days": interval.key,
        "sample_rows": len(rows),
        "sample_labels": _labels(rows[proposal.label].to_pylist(), proposal),
        "sample_row": call("{", items, "}", 4),
    }


def _labels(labels: Sequence[Any], proposal: Proposal) -> str:
    """How often each label is there; of numbers, how many are."""
    if proposal.target.type == "double":
        return str(sum(label is not None for label in labels))
    counts = sorted(Counter(map(str, labels)).items())
    return exploded("{", [f"{quoted(label)}: {count}" for label, count in counts], "}", 4)
