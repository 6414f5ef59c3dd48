"""What is chosen on the picture of lineage, and which boxes are on its way."""

import pytest
from millrace_pages import lineage

from pipelines.core.errors import UsageError
from pipelines.insight.lineage.case import CaseLineage, Node
from pipelines.insight.lineage.edges import Field, How, Relation, Source, Value


def table(name, **columns):
    """Each column with the ones that it is computed from."""
    values = {
        column: Value(frozenset(Source(Field(*each.split("/")), How.TRANSFORMATION) for each in of))
        for column, of in columns.items()
    }
    types = dict.fromkeys(columns, "int")
    return Node(name=name, kind="table", title="", columns=types, relation=Relation(values))


KNOWN = CaseLineage(
    "shop",
    [
        table("bronze.a", x=[], y=[]),
        table("bronze.b", z=[]),
        table("gold.both", sum=["bronze.a/x", "bronze.b/z"], y=["bronze.a/y"]),
        table("gold.end", answer=["gold.both/y"]),
    ],
)


def test_a_column_lights_up_only_its_own_way():
    found = lineage.chosen(KNOWN, "gold.both.y")
    assert (found.table, found.column) == ("gold.both", "y")
    assert found.on_the_way == {"bronze.a", "gold.both", "gold.end"}
    assert found.sources.splitlines()[-1].endswith("bronze.a: y")
    assert found.impact.splitlines()[-1].endswith("gold.end: answer")


def test_a_table_lights_up_all_before_and_after_it():
    assert lineage.chosen(KNOWN, "gold.both").on_the_way == {node.name for node in KNOWN.nodes}
    found = lineage.chosen(KNOWN, "bronze.b")
    assert found.on_the_way == {"bronze.b", "gold.both", "gold.end"}
    assert (found.column, found.sources, found.impact) == ("", "", "")


def test_nothing_is_chosen_and_a_wrong_name_is_answered_with_the_nearest():
    assert lineage.chosen(KNOWN, "") is None
    with pytest.raises(UsageError, match="no column 'sun'; there is sum"):
        lineage.chosen(KNOWN, "gold.both.sun")
