"""Column lineage of one SQL query: a pure function from its text and the columns that tables have.

sqlglot reads the text (dialect Spark) and places its names: each column stands behind its source,
stars are spelled out, `using` is a condition, aliases and positions are what they stand for. What
an expression depends on is followed in `expressions`; here is what decides *which rows* there are
(filters, joins, groups), kept apart from what becomes a value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import MappingSchema, exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope

from pipelines.insight.lineage.edges import NOTHING, Field, How, Relation, Source, Value, merged
from pipelines.insight.lineage.expressions import WRITTEN, Names, columns_of, value_of


@dataclass(frozen=True)
class Lineage:
    """What a query's columns and rows depend on, and the names in it that nobody could place."""

    relation: Relation
    unresolved: Sequence[str] = ()


def lineage(text: str, tables: Mapping[str, Sequence[str]], columns: Sequence[str]) -> Lineage:
    """Follow each of a query's columns to the columns of the tables it reads.

    A name that can't be placed is taken for *all* columns of all tables read, indirect, and so is
    every one of `columns` where the query can't be read at all.

    Example:
        >>> found = lineage("select a + 1 as b from t where c", {"t": ["a", "c"]}, ["b"])
        >>> [f"{each.field} {each.how}" for each in found.relation.columns["b"].sources]
        ['t.a TRANSFORMATION']
        >>> [f"{each.field} {each.how}" for each in found.relation.rows]
        ['t.c FILTER']
    """
    try:
        scopes = _scopes(text, tables)
    except SqlglotError as error:
        said = str(error).splitlines()[0]
        return Lineage(Relation(dict.fromkeys(columns, _all_of(tables))), [said])
    read = {_name(each) for scope in scopes for each in scope.tables} & tables.keys()
    query = _Query(tables, _all_of({name: tables[name] for name in read}))
    for scope in scopes:
        query.relations[id(scope.expression)] = query.follow(scope)
    found = query.relations[id(scopes[-1].expression)]
    lacking = [name for name in columns if name not in found.columns]
    filled = {name: query.unknown(f"output {name}") for name in lacking}
    return Lineage(
        Relation({**found.columns, **filled}, found.rows), tuple(dict.fromkeys(query.notes))
    )


def _scopes(text: str, tables: Mapping[str, Sequence[str]]) -> list[Scope]:
    """The query's scopes, each after those it reads, with every name in its place."""
    query = parse_one(text, dialect="spark")
    for written in query.find_all(exp.Coalesce):
        written.meta[WRITTEN] = True
    for inline in list(query.find_all(exp.Inline)):
        _spell_out(inline)
    schema = MappingSchema(dialect="spark")
    for name, columns in tables.items():
        schema.add_table(name, dict.fromkeys(columns, "unknown"))
    placed = qualify(
        query, dialect="spark", schema=schema, identify=False, validate_qualify_columns=False
    )
    scopes = traverse_scope(placed)
    if not scopes:
        raise SqlglotError(f"no query: {text[:40]}")
    return scopes


def _spell_out(inline: exp.Expr) -> None:
    """One entry of the select list for each field: sqlglot doesn't know what `inline` makes."""
    struct = inline.find(exp.Struct)
    if struct and isinstance(inline.parent, exp.Select):
        names = [each.alias_or_name for each in struct.expressions]
        fields = (exp.Dot(this=inline.copy(), expression=exp.to_identifier(n)) for n in names)
        inline.replace([exp.alias_(*each) for each in zip(fields, names, strict=True)])


def _all_of(tables: Mapping[str, Sequence[str]]) -> Value:
    fields = (Field(table, column) for table, columns in tables.items() for column in columns)
    return Value.of(fields, How.CONDITIONAL)


def _name(table: exp.Table) -> str:
    return ".".join(part for part in (table.db, table.name) if part)


@dataclass
class _Query:
    """The relations of a query's scopes; `notes` gathers the names that could not be placed."""

    tables: Mapping[str, Sequence[str]]
    everything: Value
    relations: dict[int, Relation] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def unknown(self, name: str) -> Value:
        self.notes.append(name)
        return self.everything

    def relation(self, source: object) -> Relation:
        """Of a table, a scope or a subquery."""
        if isinstance(source, exp.Table):
            return self._table(_name(source))
        node = source.expression if isinstance(source, Scope) else source
        return self.relations[id(node)]

    def _table(self, name: str) -> Relation:
        if name not in self.tables:
            return Relation({"": self.unknown(f"table {name}")})
        fields = [Field(name, column) for column in self.tables[name]]
        return Relation({each.column: Value.of([each]) for each in fields})

    def follow(self, scope: Scope) -> Relation:
        node = scope.expression
        names = Names(scope=scope, relation=self.relation, unknown=self.unknown)
        if isinstance(node, exp.Select):
            return self._select(node, names)
        if isinstance(node, exp.SetOperation):
            return _combined(node, *map(self.relation, scope.set_operation_scopes))
        if isinstance(node, exp.Lateral):
            return Relation(columns_of(node, names))
        if isinstance(node, exp.Subquery):
            return self.relation(node.unnest())
        if isinstance(node, exp.Values):
            return Relation(dict.fromkeys(node.named_selects, NOTHING))
        return Relation({"": self.unknown(f"a {node.key}")})

    def _select(self, node: exp.Select, names: Names) -> Relation:
        columns: dict[str, Value] = {}
        for item in node.selects:
            columns |= columns_of(item, names)
        sources = (names.scope.sources[name] for name, _ in names.scope.references)
        rows = (self.relation(source).rows for source in sources)
        decided = _deciding(node, replace(names, selected=columns))
        return Relation(columns, decided.union(*rows))


def _combined(node: exp.Expr, left: Relation, right: Relation) -> Relation:
    """`union` by position; what `except` and `intersect` compare with decides on rows."""
    rows = left.rows | right.rows
    if not isinstance(node, exp.Union):
        compared = merged([left.everything, right.everything]).opaque(How.FILTER)
        return Relation(left.columns, rows | compared.sources)
    pairs = zip(left.columns.items(), right.columns.values(), strict=False)
    return Relation({name: merged([one, other]) for (name, one), other in pairs}, rows)


def _deciding(node: exp.Select, names: Names) -> frozenset[Source]:
    """What decides which rows a select gives, beside the rows of what it reads."""
    args = node.args
    group, order = args.get("group"), args.get("order")
    clauses = {
        How.JOIN: [on for join in names.scope.find_all(exp.Join) if (on := join.args.get("on"))],
        How.FILTER: [args[each].this for each in _FILTERS if args.get(each)],
        How.GROUP_BY: [*(group.expressions if group else ())],
        How.SORT: [*(order.expressions if order and args.get("limit") else ())],
    }
    if args.get("distinct"):
        clauses[How.GROUP_BY] += node.selects
    decided = (
        value_of(part, names).opaque(how) for how, parts in clauses.items() for part in parts
    )
    return merged(decided).sources


_FILTERS = ("where", "having", "qualify")
