"""The golden sample of a case, and what its own test finds in it."""

import csv
from collections import Counter
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipelines.data.extract.readers import FileTable
from pipelines.data.extract.tables import Rows, days
from pipelines.scaffold.infer import Proposal
from pipelines.scaffold.literals import call, exploded, quoted
from pipelines.use_cases.spec.interval import Interval
from pipelines.use_cases.spec.use_case import Column, Feed


def text_of(proposal: Proposal) -> str:
    """The golden sample, as the source has it."""
    text = StringIO()
    writer = csv.writer(text, delimiter=proposal.delimiter, lineterminator="\n")
    wanted = proposal.sample.select(proposal.shape.source_columns)
    writer.writerow(wanted.column_names)
    writer.writerows(zip(*(column.to_pylist() for column in wanted.columns), strict=True))
    return text.getvalue()


def expected(proposal: Proposal, golden: str) -> dict[str, Any]:
    """What the case's own test finds in the golden sample: what the source makes of it now."""
    columns = [Column(each.name, each.type, "") for each in proposal.inputs]
    times = (Column("event_at", "timestamp", ""), Column("known_at", "timestamp", ""))
    label = Column(proposal.label, proposal.target.type, "")
    feed = Feed(
        name="rows",
        description="",
        format="csv",
        columns=(*columns, label, *times),
        key=proposal.key,
    )
    with TemporaryDirectory() as folder:
        sample, landed = Path(folder, "sample.csv"), Path(folder, "landed.csv")
        sample.write_text(golden, encoding="utf-8", newline="")
        table = FileTable(str(sample), (Path(folder),), proposal.delimiter)
        found = days(table, proposal.shape)
        interval = Interval.parse(f"{found[0]}/{found[-1]}")
        (file,) = Rows(table, proposal.shape, interval).files(feed, interval)
        num_rows = file.write(landed)
        with landed.open(newline="", encoding="utf-8") as lines:
            rows = list(csv.DictReader(lines))
    items = [f"{quoted(name)}: {quoted(value)}" for name, value in rows[0].items()]
    return {
        "sample_days": interval.key,
        "sample_rows": num_rows,
        "sample_labels": _labels([row[proposal.label] for row in rows], proposal),
        "sample_row": call("{", items, "}", 4),
    }


def _labels(labels: Sequence[str], proposal: Proposal) -> str:
    """How often each label is there; of numbers, how many are."""
    if proposal.target.task == "regression":
        return str(sum(map(bool, labels)))
    counts = sorted(Counter(labels).items())
    return exploded("{", [f"{quoted(label)}: {count}" for label, count in counts], "}", 4)
