"""Every golden table becomes what its entry says: read, told, quarantined, counted or refused."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest

from pipelines.core.errors import MillraceError
from pipelines.scaffold.infer import Proposal
from pipelines.scaffold.shown import summary
from tests.golden_tables import FOLDER, Expected, Row, duplicates, expected, landed, plain_of
from tests.golden_tables import proposal_of as propose

TABLES = list(expected())
READ = [table for table in TABLES if not table.refused]
REFUSED = [table for table in TABLES if table.refused]


def _name(table: Expected) -> str:
    return f"{table.path.parent.name}/{table.name}"


def test_there_are_enough_and_each_file_has_its_entry():
    listed = {table.path for table in TABLES}
    families = [each for each in FOLDER.iterdir() if each.is_dir() and each.name != "plain"]
    found = {path for family in families for path in family.iterdir()}
    assert {path for path in found if path.name != "expected.yaml"} == listed
    assert len(listed) >= 65


@pytest.mark.parametrize("table", REFUSED, ids=_name)
def test_it_is_refused_with_these_words(table):
    with pytest.raises(MillraceError) as refusal:
        propose(table)
    assert [piece for piece in table.refused if piece not in str(refusal.value)] == [], refusal


@pytest.mark.parametrize("table", READ, ids=_name)
def test_it_is_read_as(table):
    proposal = propose(table)
    _compare_words(table, proposal)
    rows = landed(table, proposal)
    bad = [row for row in rows if row.bad is not None]
    _compare_quarantine(table.quarantined, bad)
    assert len(rows) == table.rows
    assert duplicates(rows, proposal.key) == table.duplicates
    _compare_values(table.values, [row.values for row in rows if row.bad is None])
    for place, row in enumerate(rows):
        if row.bad is None:
            oracle = plain_of(row, place, table.rows)
            same = (row.values.keys() & oracle.keys()) - table.values.keys()
            assert {n: row.values[n] for n in same} == {n: oracle[n] for n in same}


def _compare_words(table: Expected, proposal: Proposal) -> None:
    said = " ".join(summary(proposal).split())
    assert [piece for piece in table.told if piece not in said] == [], said
    assert [piece for piece in table.silent if piece in said] == []
    names = proposal.shape.columns
    assert {name: names.get(name) for name in table.names} == table.names
    assert [name for name in names if name not in table.names and names[name] != name] == []
    types = {each.name: each.type for each in proposal.inputs}
    types[proposal.label] = proposal.target.type
    assert {name: types.get(name) for name in table.types} == table.types
    if table.labels:
        assert proposal.target.counts == table.labels
    assert list(proposal.left_out) == list(table.left_out)


def _compare_quarantine(wanted: Sequence[Mapping[str, Any]], bad: Sequence[Row]) -> None:
    found = [(row.file, row.line, row.bad) for row in bad]
    assert [row.line for row in bad] == [each["line"] for each in wanted], found
    for each, row in zip(wanted, bad, strict=True):
        assert each["why"] in (row.bad or "")
        assert each.get("file", row.file) == row.file


def _compare_values(wanted: Mapping[str, Sequence[Any]], good: Sequence[Mapping[str, Any]]) -> None:
    for name, values in wanted.items():
        found = [row[name] for row in good[: len(values)]]
        assert found == list(map(_in_utc, values)), name


def _in_utc(value: Any) -> Any:
    """YAML's instants are in UTC, and say so or not."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return value if isinstance(value, date | str | int | float | None) else tuple(value)
