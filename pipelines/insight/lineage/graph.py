"""A case's lineage as a picture's worth of plain values: for a page, computed on the server.

A template draws it as one `<svg>`, a `<rect>` and a `<text>` for each of `graph.boxes`, a
`<polyline>` for each of `graph.edges`. Nothing here needs Spark, Airflow or MLflow: PostgreSQL and
the home are enough.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Engine, Row, select

from pipelines.core.journal import materialized, runs
from pipelines.insight.lineage.case import CaseLineage, Node, model_name, view_name
from pipelines.insight.lineage.layout import NODE_HEIGHT, NODE_WIDTH, Edge, Point, layout
from pipelines.insight.status import newest_published
from pipelines.learning import champion
from pipelines.use_cases.spec.use_case import UseCase

# The stage that makes the nodes of a layer; of gold's, two tables a model have their own.
_STAGES = {
    "landing": "extract",
    "bronze": "ingest",
    "quarantine": "ingest",
    "silver": "transform",
    "gold": "transform",
    "features": "materialize",
}


@dataclass(frozen=True, kw_only=True)
class Status:
    """What the journal says of a node now: the version that readers see, its rows, its reach.

    Args:
        run: the newest run of the stage that makes the node, whatever became of it.
    """

    version: str | None = None
    rows: int | None = None
    until: str | None = None
    run: Row[Any] | None = None


@dataclass(frozen=True)
class Box:
    """A node, and where its box's left upper corner is."""

    node: Node
    status: Status
    x: float
    y: float
    width: float = NODE_WIDTH
    height: float = NODE_HEIGHT


@dataclass(frozen=True, kw_only=True)
class Graph:
    """The whole picture; from each edge's first node its second one is made."""

    boxes: Sequence[Box]
    edges: Mapping[Edge, Sequence[Point]]
    width: float
    height: float


def graph(lineage: CaseLineage, statuses: Mapping[str, Status]) -> Graph:
    """Place every node of a case and every reading of one by another.

    Example:
        >>> from pipelines.insight.lineage.edges import Field, Relation, Value
        >>> value = Value.of([Field("landing.c_a", "x")])
        >>> nodes = [
        ...     Node(name="landing.c_a", kind="files", title="", columns={"x": "int"}),
        ...     Node(name="bronze.c_a", kind="table", title="", columns={"x": "int"},
        ...          relation=Relation({"x": value}))]
        >>> made = graph(CaseLineage("c", nodes), {})
        >>> [(box.node.name, box.x) for box in made.boxes]
        [('landing.c_a', 0.0), ('bronze.c_a', 410.0)]
        >>> made.edges
        {('landing.c_a', 'bronze.c_a'): [(300.0, 24.0), (410.0, 24.0)]}
    """
    placed = layout({node.name: node.reads for node in lineage.nodes})
    return Graph(
        boxes=[
            Box(node, statuses.get(node.name, Status()), *placed.nodes[node.name])
            for node in lineage.nodes
        ],
        edges=placed.edges,
        width=placed.width,
        height=placed.height,
    )


def statuses(engine: Engine, case: UseCase, lineage: CaseLineage) -> dict[str, Status]:
    """Each node's version and newest run, by the journal alone."""
    last, facts, own = _last_runs(engine, case), _facts(engine, case), _own_stages(case)
    return {
        node.name: Status(
            run=last.get(own.get(node.name) or (_STAGES[node.name.partition(".")[0]], None)),
            **facts.get(node.name, {}),
        )
        for node in lineage.nodes
    }


# A stage, and the model that it is about.
_Maker: TypeAlias = tuple[str, str | None]


def _own_stages(case: UseCase) -> dict[str, _Maker]:
    """What makes each model, its training set and its predictions."""
    return {
        name: (stage, model.name)
        for model in case.models
        for name, stage in (
            (case.table("gold", model.training_set), "assemble"),
            (model_name(case.name, model.name), "train"),
            (case.table("gold", model.predictions), "predict"),
        )
    }


def _last_runs(engine: Engine, case: UseCase) -> dict[_Maker, Row[Any]]:
    newest = (
        select(runs.c.stage, runs.c.model, runs.c.state, runs.c.interval)
        .where(runs.c.case_name == case.name)
        .distinct(runs.c.stage, runs.c.model)
        .order_by(runs.c.stage, runs.c.model, runs.c.attempt.desc())
    )
    with engine.connect() as connection:
        return {(row.stage, row.model): row for row in connection.execute(newest)}


def _facts(engine: Engine, case: UseCase) -> dict[str, dict[str, Any]]:
    """Version, rows and reach of what is published, online, and champion."""
    found = {
        row.table_name: {
            "version": str(row.version),
            "rows": row.rows,
            "until": row.until.isoformat(),
        }
        for row in newest_published(engine, case)
    }
    views = select(materialized).where(materialized.c.case_name == case.name)
    with engine.connect() as connection:
        for row in connection.execute(views):
            name = view_name(case.name, row.feature_view.removeprefix(f"{case.name}_"))
            found[name] = {"version": str(row.version), "until": row.until.isoformat()}
        for model in case.models:
            now = champion.read(connection, case.name, model.name)
            if now:
                known = {"version": str(now.version), "until": now.cutoff.isoformat()}
                found[model_name(case.name, model.name)] = known
    return found
