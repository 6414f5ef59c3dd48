"""Column lineage of one SQL query: a pure function from its text and the columns that tables have.

sqlglot reads the text (dialect Spark); what a column depends on is followed here, because
structs, generators, lateral views and windows matter, and because what decides *which rows* there
are (filters, joins, groups) is kept apart from what becomes a value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from pipelines.insight.lineage.edges import Field, How, Relation, Source, Value, merged
from pipelines.insight.lineage.scopes import Scope, generated, value_of

_Ctes = Mapping[str, Relation]


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
        query = parse_one(text, dialect="spark")
    except SqlglotError as error:
        said = str(error).splitlines()[0]
        return Lineage(Relation(dict.fromkeys(columns, _all_of(tables))), [said])
    read = {name for table in query.find_all(exp.Table) if (name := _name(table)) in tables}
    resolver = _Resolver(tables, _all_of({name: tables[name] for name in read}))
    found = resolver.query(query, {}, None)
    lacking = [name for name in columns if name not in found.columns]
    filled = {name: resolver.unknown(f"output {name}") for name in lacking}
    return Lineage(
        Relation({**found.columns, **filled}, found.rows), tuple(dict.fromkeys(resolver.notes))
    )


def _all_of(tables: Mapping[str, Sequence[str]]) -> Value:
    fields = (Field(table, column) for table, columns in tables.items() for column in columns)
    return Value(frozenset(Source(each, How.CONDITIONAL) for each in fields))


def _name(table: exp.Expr) -> str:
    return ".".join(part for part in (table.text("db"), table.text("this")) if part)


@dataclass
class _Resolver:
    """One query's resolution; `notes` gathers the names that could not be placed."""

    tables: Mapping[str, Sequence[str]]
    everything: Value
    notes: list[str] = field(default_factory=list)

    def unknown(self, name: str) -> Value:
        self.notes.append(name)
        return self.everything

    def query(self, node: exp.Expr, ctes: _Ctes, outer: Scope | None) -> Relation:
        if isinstance(node, exp.Subquery):
            return self.query(node.this, self._with(node, ctes, outer), outer)
        ctes = self._with(node, ctes, outer)
        if isinstance(node, exp.SetOperation):
            return self._combined(node, ctes, outer)
        if isinstance(node, exp.Select):
            return self._select(node, ctes, outer)
        return Relation({"": self.unknown(f"a {node.key}")})

    def _with(self, node: exp.Expr, ctes: _Ctes, outer: Scope | None) -> _Ctes:
        clause = node.args.get("with_")
        for cte in clause.expressions if clause else ():
            names = [name.name for name in cte.args["alias"].columns]
            ctes = {**ctes, cte.alias: _renamed(self.query(cte.this, ctes, outer), names)}
        return ctes

    def _combined(self, node: exp.Expr, ctes: _Ctes, outer: Scope | None) -> Relation:
        """`union` by position; what `except` and `intersect` compare with decides on rows."""
        left, right = (self.query(part, ctes, outer) for part in (node.this, node.expression))
        rows = left.rows | right.rows
        if not isinstance(node, exp.Union):
            compared = merged([left.everything, right.everything]).opaque(How.FILTER)
            return Relation(left.columns, rows | compared.sources)
        pairs = zip(left.columns.items(), right.columns.values(), strict=False)
        return Relation({name: merged([one, other]) for (name, one), other in pairs}, rows)

    def _select(self, node: exp.Select, ctes: _Ctes, outer: Scope | None) -> Relation:
        scope, rows = self._from(node, ctes, outer)
        windows = {each.name: each for each in node.args.get("windows") or ()}
        scope = replace(scope, windows=windows)
        columns: dict[str, Value] = {}
        for item in node.expressions:
            columns |= self._item(item, scope, len(columns))
            scope = replace(scope, named=columns)
        return Relation(columns, rows | self._deciding(node, scope))

    def _item(self, item: exp.Expr, scope: Scope, position: int) -> dict[str, Value]:
        """The columns that one entry of a select list makes."""
        if item.is_star:
            without = {each.name for each in _star(item).args.get("except_") or ()}
            stars = scope.stars(item.text("table"))
            return {name: value for name, value in stars.items() if name not in without}
        several = item.aliases if isinstance(item, exp.Aliases) else []
        names = [each.name for each in several] or [name for name in (item.alias,) if name]
        made = generated(item.unalias(), names, scope)
        if made is not None:
            return made
        own = [item.alias_or_name or f"_col{position}"]
        return dict.fromkeys(names or own, value_of(item, scope))

    def _from(
        self, node: exp.Select, ctes: _Ctes, outer: Scope | None
    ) -> tuple[Scope, frozenset[Source]]:
        """The names that a select may use, and what its joins decide rows by."""
        scope = Scope(
            relations={},
            query=lambda query, within: self.query(query, ctes, within),
            unknown=self.unknown,
            outer=outer,
        )
        rows: frozenset[Source] = frozenset()
        source = node.args.get("from_")
        if source:
            scope, rows = self._table(source.this, scope, ctes)
        for join in node.args.get("joins") or ():
            using = [each.name for each in join.args.get("using") or ()]
            before = scope
            scope, own = self._table(join.this, scope, ctes, using)
            rows |= own | self._matched(join, using, before, scope)
        for lateral in node.args.get("laterals") or ():
            scope = _viewed(lateral, scope)
        return scope, rows

    def _matched(
        self, join: exp.Expr, using: Sequence[str], before: Scope, after: Scope
    ) -> frozenset[Source]:
        on = value_of(join.args.get("on"), after)
        joined = list(after.relations.values())[-1]
        keys = [side for name in using for side in (before.find((name,)), joined.columns.get(name))]
        return merged([on, *(key for key in keys if key)]).opaque(How.JOIN).sources

    def _table(
        self, node: exp.Expr, scope: Scope, ctes: _Ctes, using: Sequence[str] = ()
    ) -> tuple[Scope, frozenset[Source]]:
        """A scope with what one entry of `from` brings."""
        relation = self._relation(node, scope, ctes)
        alias = node.args.get("alias")
        relation = _renamed(relation, [each.name for each in alias.columns] if alias else [])
        name = node.alias_or_name or f"_{len(scope.relations)}"
        scope = scope.joined(name, relation, using)
        for join in node.args.get("joins") or ():
            scope, _ = self._table(join.this, scope, ctes)
        return scope, relation.rows

    def _relation(self, node: exp.Expr, scope: Scope, ctes: _Ctes) -> Relation:
        if isinstance(node, exp.Values):
            width = len(node.expressions[0].expressions or [None])
            return Relation({f"col{each + 1}": Value() for each in range(width)})
        if not isinstance(node, exp.Table):
            return self.query(node, ctes, scope)
        name = _name(node)
        if name in ctes:
            return ctes[name]
        if name not in self.tables:
            return Relation({"": self.unknown(f"table {name}")})
        return Relation(
            {
                column: Value(frozenset({Source(Field(name, column), How.IDENTITY)}))
                for column in self.tables[name]
            }
        )

    def _deciding(self, node: exp.Select, scope: Scope) -> frozenset[Source]:
        """What decides which rows a select gives, beside its joins."""
        group, order = node.args.get("group"), node.args.get("order")
        clauses = {
            How.FILTER: [node.args[each].this for each in _FILTERS if node.args.get(each)],
            How.GROUP_BY: [*(group.expressions if group else ())],
            How.SORT: [*(order.expressions if order and node.args.get("limit") else ())],
        }
        if node.args.get("distinct"):
            clauses[How.GROUP_BY] = list(node.expressions)
        decided = (
            value_of(_plain(part, node), scope).opaque(how)
            for how, parts in clauses.items()
            for part in parts
        )
        return merged(decided).sources


_FILTERS = ("where", "having", "qualify")


def _star(item: exp.Expr) -> exp.Expr:
    star = item.find(exp.Star)
    return star if star is not None else item


def _plain(part: exp.Expr, node: exp.Select) -> exp.Expr:
    """`group by 1` means the first entry of the select list."""
    if isinstance(part, exp.Literal) and part.is_int and int(part.name) <= len(node.expressions):
        chosen: exp.Expr = node.expressions[int(part.name) - 1].unalias()
        return chosen
    return part


def _renamed(relation: Relation, names: Sequence[str]) -> Relation:
    if not names:
        return relation
    return Relation(dict(zip(names, relation.columns.values(), strict=False)), relation.rows)


def _viewed(lateral: exp.Expr, scope: Scope) -> Scope:
    """A scope with the columns of a `lateral view`."""
    alias = lateral.args["alias"]
    names = [each.name for each in alias.columns]
    made = generated(lateral.this, names, scope)
    columns = dict.fromkeys(names, value_of(lateral.this, scope)) if made is None else made
    return scope.joined(alias.name or f"_view{len(scope.relations)}", Relation(columns))
