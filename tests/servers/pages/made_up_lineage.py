"""Where the columns of the made-up year come from: a column a table, along the real ways."""

from collections.abc import Iterable

from pipelines.core.settings import Settings
from pipelines.insight.lineage import kept
from pipelines.insight.lineage.case import CaseLineage, Kind, Node, model_name, view_name
from pipelines.insight.lineage.edges import Field, How, Relation, Source, Value
from tests.servers.pages import made_up
from tests.servers.pages.made_up import CASE, DECIDED, LABELLED, LEARNED, PREDICTED, STATES

MODEL = model_name(CASE.name, "late")
VIEWS = [view_name(CASE.name, state.name) for state in CASE.entity_states]


def keep(settings: Settings) -> None:
    """As if a stage had worked it out."""
    silver = [
        _reading(name, [name.replace("silver", "bronze")]) for name in made_up.tables("silver")
    ]
    gold = [_reading(name, made_up.tables("silver")) for name in made_up.tables("gold")]
    views = [_reading(view, [s], "feature view") for view, s in zip(VIEWS, STATES, strict=True)]
    learned = [
        _reading(LEARNED, [*VIEWS, DECIDED, LABELLED]),
        _reading(MODEL, [LEARNED], "model"),
        _reading(PREDICTED, [*VIEWS, DECIDED, MODEL]),
    ]
    landed = kept.build(CASE, ()).nodes
    found = CaseLineage(CASE.name, [*landed, *silver, *gold, *views, *learned])
    kept.keep(settings, CASE, None, found)


def _reading(name: str, tables: Iterable[str], kind: Kind = "table") -> Node:
    """A table of one column, made of those of others."""
    sources = frozenset(Source(Field(table, "known_at"), How.IDENTITY) for table in tables)
    relation = Relation({"known_at": Value(sources)})
    columns = {"known_at": "timestamp"}
    return Node(
        name=name, kind=kind, title=f"Made up {made_up.HOSTILE}", columns=columns, relation=relation
    )
