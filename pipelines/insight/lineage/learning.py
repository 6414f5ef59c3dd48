"""From gold to answers, column by column: feature views, training set, model, predictions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]

from pipelines.insight.lineage.case import Node, model_name, view_name
from pipelines.insight.lineage.edges import Field, How, Relation, Value, merged
from pipelines.use_cases.spec.model import DECISIONS, LABELS, Model
from pipelines.use_cases.spec.use_case import EntityState, UseCase

# The features of each entity state's view, by the state's name.
Views = Mapping[str, Sequence[str]]
Tables = Mapping[str, Node]


def offered(case: UseCase, views: Views, tables: Tables) -> list[Node]:
    """Each feature view, a field from the column of its name."""
    return [_view(case, state, views[state.name], tables) for state in case.entity_states]


def _view(case: UseCase, state: EntityState, features: Sequence[str], tables: Tables) -> Node:
    table = tables[case.table("gold", state.name)]
    names = dict.fromkeys((*state.keys, "known_at", *features))
    return Node(
        name=view_name(case.name, state.name),
        kind="feature view",
        title=table.title,
        columns={name: table.columns[name] for name in names},
        relation=Relation({name: _column(table, name) for name in names}),
    )


def _column(node: Node, name: str, how: How = How.IDENTITY) -> Value:
    return Value.of([Field(node.name, name)], how)


# The fields of a model's answers, and their types.
Answer = Mapping[str, str]


@dataclass(frozen=True)
class Known:
    """What the models of a case may look at: of each column where it comes from, and its type."""

    values: Mapping[str, Value]
    types: Mapping[str, str]


def learned(
    case: UseCase,
    model: Model,
    tables: Tables,
    known: Known,
    inputs: Sequence[str],
    answer: pa.Schema,
) -> list[Node]:
    """A model's training set, itself, and its predictions; `tables` has the gold tables."""
    fields = {field.name: _spark_type(field.type) for field in answer}
    rows = _training_set(case, model, tables, known)
    return [
        rows,
        _model(case, model, rows, inputs, fields),
        _predictions(case, model, tables, known, inputs, fields),
    ]


def known_at_decisions(case: UseCase, tables: Tables, derive: Callable[[Any], Any]) -> Known:
    """What is known at a decision: its own columns, the states', the derived."""
    decisions = tables[case.table("gold", DECISIONS)]
    values = {name: _column(decisions, name) for name in decisions.columns}
    types = dict(decisions.columns)
    for state in case.entity_states:
        view = tables[view_name(case.name, state.name)]
        # Which state of an entity a decision gets is decided by the entity's keys and the instant.
        keys = merged(_column(decisions, name, How.JOIN) for name in (*state.keys, "known_at"))
        for name in (each for each in view.columns if each not in (*state.keys, "known_at")):
            values[f"{state.name}__{name}"] = merged([_column(view, name), keys])
            types[f"{state.name}__{name}"] = view.columns[name]
    read, made = columns_read(derive, types)
    computed = merged(values[name] for name in sorted(read)).opaque(How.TRANSFORMATION)
    return Known({**values, **dict.fromkeys(made, computed)}, {**types, **made})


def _training_set(case: UseCase, model: Model, tables: Tables, known: Known) -> Node:
    decisions, labels = (tables[case.table("gold", name)] for name in (DECISIONS, LABELS))
    decided, labelled = _column(decisions, "known_at"), _column(labels, "known_at")
    newest = labelled.via(How.SORT)
    columns = {
        **known.values,
        model.label: merged([_column(labels, model.label, How.AGGREGATION), newest]),
        "label_known_at": labelled.via(How.AGGREGATION),
        "part": merged([decided, labelled]).via(How.CONDITIONAL),
    }
    keys = merged(_column(each, name) for each in (decisions, labels) for name in model.row_key)
    when = merged([decided, labelled, _column(labels, model.label)])
    label_type = labels.columns[model.label]
    own = {model.label: label_type, "label_known_at": "timestamp", "part": "string"}
    return Node(
        name=case.table("gold", model.training_set),
        kind="table",
        title="Labelled decisions with what was known at each",
        columns={**known.types, **own},
        relation=Relation(columns, keys.via(How.JOIN).sources | when.via(How.FILTER).sources),
    )


def _model(case: UseCase, model: Model, rows: Node, inputs: Sequence[str], answer: Answer) -> Node:
    names = (*inputs, model.label)
    weights = merged(_column(rows, name, How.AGGREGATION) for name in names)
    part = _column(rows, "part", How.CONDITIONAL)
    return Node(
        name=model_name(case.name, model.name),
        kind="model",
        title=f"{model.name}: {model.task} by {model.family}",
        columns={**{name: rows.columns[name] for name in inputs}, **answer},
        relation=Relation(
            {
                **{name: _column(rows, name) for name in inputs},
                **dict.fromkeys(answer, merged([weights, part])),
            }
        ),
    )


def _predictions(
    case: UseCase,
    model: Model,
    tables: Tables,
    known: Known,
    inputs: Sequence[str],
    answer: Answer,
) -> Node:
    decisions = tables[case.table("gold", DECISIONS)]
    decided = _column(decisions, "known_at")
    name = model_name(case.name, model.name)
    given = merged(known.values[each] for each in inputs).opaque(How.TRANSFORMATION)
    columns = {
        **{each: known.values[each] for each in model.row_key},
        "decided_at": decided,
        "model_version": Value(),
        **{
            field: merged([given, Value.of([Field(name, field)], How.TRANSFORMATION)])
            for field in answer
        },
        "predicted_at": Value(),
        "decided_date": decided.via(How.TRANSFORMATION),
        **{each: known.values[each] for each in inputs},
    }
    own = {
        "decided_at": "timestamp",
        "model_version": "bigint",
        **answer,
        "predicted_at": "timestamp",
        "decided_date": "date",
    }
    asked = merged([_column(decisions, "is_batch"), decided]).via(How.FILTER)
    return Node(
        name=case.table("gold", model.predictions),
        kind="table",
        title="What each version of the model answered, with the inputs it was given",
        columns={each: {**known.types, **own}[each] for each in columns},
        relation=Relation(columns, asked.sources),
    )


_ARROW = {
    "string": pa.string(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "float": pa.float32(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"),
}


def columns_read(
    derive: Callable[[Any], Any], types: Mapping[str, str]
) -> tuple[set[str], dict[str, str]]:
    """Which columns a model's `derive` looks at, and those it makes: seen by running it on no rows.

    Where it does more than take columns by name, it counts as having looked at all of them.
    """
    schema = pa.schema([(name, _ARROW.get(kind, pa.string())) for name, kind in types.items()])
    read: set[str] = set()
    try:
        made = derive(_Watched(schema.empty_table(), read)).schema
    except TypeError:  # Arrow's own functions refuse what is no table of theirs.
        read, made = set(types), derive(schema.empty_table()).schema
    new = {name: _spark_type(made.field(name).type) for name in made.names if name not in types}
    return read & set(types), new


def _spark_type(kind: pa.DataType) -> str:
    return next((name for name, arrow in _ARROW.items() if arrow == kind), str(kind))


class _Watched:
    """A table that notes which columns are looked at."""

    _QUIET = ("schema", "num_rows", "column_names")

    def __init__(self, table: pa.Table, read: set[str]) -> None:
        self._table, self._read = table, read

    def __getitem__(self, name: str) -> Any:
        self._read.add(name)
        return self._table[name]

    def column(self, name: str) -> Any:
        return self[name]

    def append_column(self, name: str, values: Any) -> "_Watched":
        return _Watched(self._table.append_column(name, values), self._read)

    def __getattr__(self, name: str) -> Any:
        if name not in self._QUIET:
            self._read.update(self._table.column_names)
        return getattr(self._table, name)
