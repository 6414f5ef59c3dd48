"""A case's lineage as a picture's worth of plain values: for a page, computed on the server.

A template draws, inside one `<svg viewBox="0 0 {{ graph.width }} {{ graph.height }}">`, a `<rect>`
and a `<text>` for each of `graph.nodes` (left upper corner `x`, `y`, size `width`, `height`), and a
`<polyline>` for each of `graph.edges` (`points`). Nothing here needs Spark, Airflow or MLflow:
PostgreSQL and the home are enough.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, select

from pipelines.core.journal import materialized, published, runs
from pipelines.insight.lineage.case import CaseLineage, Kind, Node, model_name, view_name
from pipelines.insight.lineage.layout import NODE_HEIGHT, NODE_WIDTH, Point, layout
from pipelines.learning import champion
from pipelines.use_cases.spec.training import PREDICTIONS, TRAINING_SET
from pipelines.use_cases.spec.use_case import UseCase

# The stage that makes the nodes of a layer; of gold's, two tables have their own.
_STAGES = {
    "landing": "extract",
    "bronze": "ingest",
    "quarantine": "ingest",
    "silver": "transform",
    "gold": "transform",
    "features": "materialize",
    "models": "train",
}
_OWN_STAGES = {TRAINING_SET: "assemble", PREDICTIONS: "predict"}


@dataclass(frozen=True, kw_only=True)
class LastRun:
    """The newest run of the stage that makes a node, whatever became of it."""

    stage: str
    state: str
    interval: str


@dataclass(frozen=True, kw_only=True)
class Status:
    """What the journal says of a node now: the version that readers see, its rows, its reach."""

    version: str | None = None
    rows: int | None = None
    until: str | None = None
    run: LastRun | None = None


@dataclass(frozen=True, kw_only=True)
class PageNode:
    """One box."""

    id: str
    kind: Kind
    title: str
    columns: Sequence[tuple[str, str]]
    status: Status
    x: float
    y: float
    width: float = NODE_WIDTH
    height: float = NODE_HEIGHT


@dataclass(frozen=True, kw_only=True)
class PageEdge:
    """One line: `target` is made of `source`."""

    source: str
    target: str
    points: Sequence[Point]


@dataclass(frozen=True, kw_only=True)
class Graph:
    """The whole picture."""

    case: str
    nodes: Sequence[PageNode]
    edges: Sequence[PageEdge]
    width: float
    height: float


def graph(lineage: CaseLineage, statuses: Mapping[str, Status]) -> Graph:
    """Place every node of a case and every reading of one by another.

    Example:
        >>> from pipelines.insight.lineage.edges import Field, How, Relation, Source, Value
        >>> value = Value(frozenset({Source(Field("landing.c_a", "x"), How.IDENTITY)}))
        >>> nodes = [
        ...     Node(name="landing.c_a", kind="files", title="", columns={"x": "int"}),
        ...     Node(name="bronze.c_a", kind="table", title="", columns={"x": "int"},
        ...          relation=Relation({"x": value}))]
        >>> made = graph(CaseLineage("c", nodes), {})
        >>> [(node.id, node.x) for node in made.nodes], made.edges[0].points
        ([('landing.c_a', 0.0), ('bronze.c_a', 410.0)], [(300.0, 24.0), (410.0, 24.0)])
    """
    placed = layout(lineage.case, {node.name: node.reads for node in lineage.nodes})
    return Graph(
        case=lineage.case,
        nodes=[
            _node(node, placed.nodes[node.name], statuses.get(node.name, Status()))
            for node in lineage.nodes
        ],
        edges=[
            PageEdge(source=source, target=target, points=points)
            for (source, target), points in placed.edges.items()
        ],
        width=placed.width,
        height=placed.height,
    )


def _node(node: Node, corner: Point, status: Status) -> PageNode:
    return PageNode(
        id=node.name,
        kind=node.kind,
        title=node.title,
        columns=list(node.columns.items()),
        status=status,
        x=corner[0],
        y=corner[1],
    )


def statuses(engine: Engine, case: UseCase, lineage: CaseLineage) -> dict[str, Status]:
    """Each node's version and newest run, by the journal alone."""
    last, facts = _last_runs(engine, case), _facts(engine, case)
    return {
        node.name: Status(run=last.get(_stage(case, node.name)), **facts.get(node.name, {}))
        for node in lineage.nodes
    }


def _stage(case: UseCase, name: str) -> str:
    layer, _, table = name.partition(".")
    return _OWN_STAGES.get(table.removeprefix(f"{case.name}_"), _STAGES[layer])


def _last_runs(engine: Engine, case: UseCase) -> dict[str, LastRun]:
    newest = (
        select(runs)
        .where(runs.c.case_name == case.name)
        .distinct(runs.c.stage)
        .order_by(runs.c.stage, runs.c.attempt.desc())
    )
    with engine.connect() as connection:
        return {
            row.stage: LastRun(stage=row.stage, state=row.state, interval=row.interval)
            for row in connection.execute(newest)
        }


def _facts(engine: Engine, case: UseCase) -> dict[str, dict[str, Any]]:
    """Version, rows and reach of what is published, online, and champion."""
    tables = (
        select(published)
        .where(published.c.case_name == case.name)
        .distinct(published.c.table_name)
        .order_by(published.c.table_name, published.c.id.desc())
    )
    views = select(materialized).where(materialized.c.case_name == case.name)
    with engine.connect() as connection:
        found = {
            row.table_name: {
                "version": str(row.version),
                "rows": row.rows,
                "until": row.until.isoformat(),
            }
            for row in connection.execute(tables)
        }
        for row in connection.execute(views):
            name = view_name(case.name, row.feature_view.removeprefix(f"{case.name}_"))
            found[name] = {"version": str(row.version), "until": row.until.isoformat()}
        now = champion.read(connection, case.name)
    if now:
        known = {"version": str(now.version), "until": now.cutoff.isoformat()}
        found[model_name(case.name)] = known
    return found
