"""From landing files to gold, column by column: the feeds' own columns, then dbt's SQL."""

from collections.abc import Iterable, Mapping, Sequence

from pipelines.insight.lineage.case import Node, landing_name
from pipelines.insight.lineage.edges import Field, How, Relation, Source, Value
from pipelines.insight.lineage.sql import lineage
from pipelines.stores.compiled import CompiledModel
from pipelines.use_cases.spec.use_case import Feed, Layer, UseCase

# What ingest adds to every row, from the file and not from a column of it.
ORIGIN = {
    "ingested_at": "timestamp",
    "source_file": "string",
    "source_line": "int",
    "known_date": "date",
}


def landed(case: UseCase) -> list[Node]:
    """The files of every feed."""
    return [
        Node(
            name=landing_name(case.name, feed.name),
            kind="files",
            title=feed.description,
            columns={column.name: column.type for column in feed.columns},
        )
        for feed in case.feeds
    ]


def ingested(case: UseCase) -> list[Node]:
    """Bronze and quarantine of every feed."""
    return [node for feed in case.feeds for node in (_bronze(case, feed), _quarantine(case, feed))]


def _bronze(case: UseCase, feed: Feed) -> Node:
    fields = {name: Field(landing_name(case.name, feed.name), name) for name in feed.column_names}
    values = {
        column.name: Value.of(
            [fields[column.name]], How.IDENTITY if column.type == "string" else How.TRANSFORMATION
        )
        for column in feed.columns
    }
    # Of equal keys the latest is kept; whatever a broken value does is in quarantine's `reasons`.
    kept = Value.of((fields[name] for name in (*feed.key, "known_at")), How.FILTER)
    return Node(
        name=case.table("bronze", feed.name),
        kind="table",
        title=f"{feed.description}; typed, one row a key",
        columns={**{column.name: column.type for column in feed.columns}, **ORIGIN},
        relation=Relation({**values, **dict.fromkeys(ORIGIN, Value())}, kept.sources),
    )


def _quarantine(case: UseCase, feed: Feed) -> Node:
    table = landing_name(case.name, feed.name)
    fields = [Field(table, name) for name in feed.column_names]
    values = {
        "reasons": Value.of(fields, How.CONDITIONAL),
        "raw": Value.of(fields, How.TRANSFORMATION),
    }
    columns = {"reasons": "array<string>", "raw": "string", "known_at": "timestamp", **ORIGIN}
    return Node(
        name=case.table("quarantine", feed.name),
        kind="table",
        title=f"Rows of {feed.name} that broke their contract, with all reasons",
        columns=columns,
        relation=Relation(
            {**dict.fromkeys(columns, Value()), **values}, Value.of(fields, How.FILTER).sources
        ),
    )


def transformed(case: UseCase, models: Sequence[CompiledModel]) -> list[Node]:
    """Silver and gold by the SQL that builds them; each after what it reads."""
    published = _published_names(case)
    built = {name: build for build, name in published.items()}
    bronze = {node.name: list(node.columns) for node in ingested(case)}
    # What was compiled without a pin names the published view.
    known = bronze | {built[name]: columns for name, columns in bronze.items() if name in built}
    known |= {built[model.table]: list(model.columns) for model in models}
    found = {model.table: _model_node(model, known, published) for model in models}
    return _in_order(found)


def _published_names(case: UseCase) -> dict[str, str]:
    """The name that readers use of each table that dbt's SQL names by its build."""
    layers: tuple[Layer, ...] = ("bronze", "silver", "gold")
    return {
        case.build_table(layer, name): case.table(layer, name)
        for layer in layers
        for name in case.tables(layer)
    }


def _model_node(
    model: CompiledModel, known: Mapping[str, Sequence[str]], published: Mapping[str, str]
) -> Node:
    found = lineage(model.sql, known, list(model.columns))
    columns = {
        name: Value(_renamed(found.relation.columns[name].sources, published))
        for name in model.columns
    }
    return Node(
        name=model.table,
        kind="table",
        title=model.description,
        columns=model.columns,
        relation=Relation(columns, _renamed(found.relation.rows, published)),
        unresolved=found.unresolved,
    )


def _renamed(sources: Iterable[Source], published: Mapping[str, str]) -> frozenset[Source]:
    return frozenset(
        Source(Field(published.get(field.table, field.table), field.column), each.how)
        for each in sources
        for field in (each.field,)
    )


def _in_order(nodes: Mapping[str, Node]) -> list[Node]:
    """Each after those of them that it reads; dbt has refused circles."""
    placed: dict[str, Node] = {}

    def place(node: Node) -> None:
        for name in node.reads:
            if name in nodes and name not in placed and name != node.name:
                place(nodes[name])
        placed[node.name] = node

    for node in nodes.values():
        if node.name not in placed:
            place(node)
    return list(placed.values())
