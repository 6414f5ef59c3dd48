"""What names mean within one SQL query, and what its expressions depend on."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from sqlglot import exp

from pipelines.insight.lineage.edges import NOTHING, How, Relation, Value, merged

# Functions of a window that pass one row's value on: no aggregate, although sqlglot files them so.
_PICKS = (exp.Lead, exp.Lag, exp.FirstValue, exp.LastValue, exp.NthValue)
_GENERATORS = (exp.Inline, exp.Explode, exp.Posexplode)


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The names that an expression may use.

    Args:
        relations: what `from` and `join` bring, by alias.
        query: the relation of a subquery.
        unknown: what to take a name for that nobody knows; it notes the name.
        shared: columns of `using`, which mean the first relation's.
        named: the select list's own aliases, and the windows' definitions.
    """

    relations: Mapping[str, Relation]
    query: Callable[[exp.Expr, "Scope"], Relation]
    unknown: Callable[[str], Value]
    shared: frozenset[str] = frozenset()
    named: Mapping[str, Value] = field(default_factory=dict)
    windows: Mapping[str, exp.Expr] = field(default_factory=dict)
    outer: "Scope | None" = None

    def joined(self, alias: str, relation: Relation, using: Iterable[str] = ()) -> "Scope":
        """With one more relation."""
        relations = {**self.relations, alias: relation}
        return replace(self, relations=relations, shared=self.shared | frozenset(using))

    def find(self, path: tuple[str, ...]) -> Value:
        """What a dotted name depends on: a relation's column, a struct's field, an alias."""
        found = self._lookup(path)
        return self.unknown(".".join(path)) if found is None else found

    def _lookup(self, path: tuple[str, ...]) -> Value | None:
        first, *rest = path
        if rest and first in self.relations:
            value = self.relations[first].columns.get(rest[0])
            if value is not None:
                return _within(value, rest[1:])
        holders = [each.columns[first] for each in self.relations.values() if first in each.columns]
        if holders:
            return _within(holders[0] if first in self.shared else merged(holders), rest)
        if first in self.named:
            return _within(self.named[first], rest)
        return self.outer._lookup(path) if self.outer else None

    def stars(self, relation: str = "") -> dict[str, Value]:
        """All columns, or those of one relation; of equal names the first."""
        chosen = [self.relations[relation]] if relation else list(self.relations.values())
        columns: dict[str, Value] = {}
        for each in chosen:
            columns |= {name: each.columns[name] for name in each.columns if name not in columns}
        return columns


def _within(value: Value, path: Iterable[str]) -> Value | None:
    """A field of a struct; of a value whose fields nobody knows, the value."""
    for name in path:
        if value.fields and name not in value.fields:
            return None
        value = value.fields.get(name, value)
    return value


def value_of(node: exp.Expr | None, scope: Scope) -> Value:
    """What an expression depends on."""
    if node is None:
        return NOTHING
    for kinds, rule in _RULES:
        if isinstance(node, kinds):
            return rule(node, scope)
    how = How.AGGREGATION if isinstance(node, exp.AggFunc) else How.TRANSFORMATION
    return merged(_parts(node, scope)).opaque(how)


def _parts(node: exp.Expr, scope: Scope) -> Iterator[Value]:
    return (value_of(part, scope) for part in node.iter_expressions())


def _nothing(_node: exp.Expr, _scope: Scope) -> Value:
    return NOTHING


def _column(node: exp.Expr, scope: Scope) -> Value:
    if isinstance(node.this, exp.Star):
        return Value(fields=scope.stars(node.text("table")))
    names = ("catalog", "db", "table", "this")
    return scope.find(tuple(node.text(name) for name in names if node.text(name)))


def _same(node: exp.Expr, scope: Scope) -> Value:
    return value_of(node.this, scope)


def _dot(node: exp.Expr, scope: Scope) -> Value:
    whole = value_of(node.this, scope)
    found = _within(whole, [node.expression.name])
    return found if found is not None else scope.unknown(node.sql())


def _struct(node: exp.Expr, scope: Scope) -> Value:
    fields: dict[str, Value] = {}
    for position, part in enumerate(node.expressions):
        if isinstance(part, exp.PropertyEQ):
            fields[part.this.name] = value_of(part.expression, scope)
        elif part.is_star:
            fields |= scope.stars(part.text("table"))
        else:
            fields[part.alias_or_name or f"col{position + 1}"] = value_of(part, scope)
    return Value(merged(fields.values()).sources, fields)


def _elements(node: exp.Expr, scope: Scope) -> Value:
    return merged(value_of(part, scope) for part in node.expressions)


def _generated(node: exp.Expr, scope: Scope) -> Value:
    """One row an element."""
    return value_of(node.this, scope).via(How.TRANSFORMATION)


def _bracket(node: exp.Expr, scope: Scope) -> Value:
    chosen = [value_of(part, scope) for part in node.expressions]
    return value_of(node.this, scope).decided_by(chosen, How.CONDITIONAL)


def _if(node: exp.Expr, scope: Scope) -> Value:
    branches = merged(value_of(node.args.get(name), scope) for name in ("true", "false"))
    asked = [value_of(node.this, scope)]
    return branches.via(How.TRANSFORMATION).decided_by(asked, How.CONDITIONAL)


def _case(node: exp.Expr, scope: Scope) -> Value:
    branches = [value_of(part, scope) for part in node.args["ifs"]]
    default = value_of(node.args.get("default"), scope).via(How.TRANSFORMATION)
    asked = [value_of(node.this, scope)]
    return merged([*branches, default]).decided_by(asked, How.CONDITIONAL)


def _newest(node: exp.Expr, scope: Scope) -> Value:
    """`max_by(value, order)`: the struct of one row, chosen by another value."""
    order = [value_of(node.expression, scope)]
    return value_of(node.this, scope).via(How.AGGREGATION).decided_by(order, How.SORT)


def _pick(node: exp.Expr, scope: Scope) -> Value:
    return merged(_parts(node, scope)).via(How.TRANSFORMATION)


def _filtered(node: exp.Expr, scope: Scope) -> Value:
    asked = [value_of(node.expression.this, scope)]
    return value_of(node.this, scope).decided_by(asked, How.CONDITIONAL)


def _over(node: exp.Expr, scope: Scope) -> Value:
    window = scope.windows.get(node.text("alias"))
    frame = [*_frame(node, scope), *_frame(window, scope)]
    return value_of(node.this, scope).decided_by(frame, How.WINDOW)


def _frame(window: exp.Expr | None, scope: Scope) -> list[Value]:
    """What a window is parted and ordered by."""
    if window is None:
        return []
    order = window.args.get("order")
    parts = [*(window.args.get("partition_by") or ()), *(order.expressions if order else ())]
    return [value_of(part, scope) for part in parts]


def _query(node: exp.Expr, scope: Scope) -> Value:
    return scope.query(node, scope).everything


def _in(node: exp.Expr, scope: Scope) -> Value:
    asked = value_of(node.args.get("query"), scope).opaque(How.CONDITIONAL)
    listed = merged(value_of(part, scope) for part in node.expressions)
    own = merged([value_of(node.this, scope), listed]).opaque(How.TRANSFORMATION)
    return merged([own, asked])


def _exists(node: exp.Expr, scope: Scope) -> Value:
    return _query(node.this, scope).opaque(How.CONDITIONAL)


_Rule = Callable[[exp.Expr, Scope], Value]
_RULES: tuple[tuple[type | tuple[type, ...], _Rule], ...] = (
    ((exp.Identifier, exp.Literal, exp.DataType, exp.Var, exp.Star), _nothing),
    (exp.Column, _column),
    ((exp.Alias, exp.Aliases, exp.Paren, exp.Ordered), _same),
    (exp.Dot, _dot),
    (exp.Struct, _struct),
    (exp.Array, _elements),
    (_GENERATORS, _generated),
    (exp.Bracket, _bracket),
    (exp.If, _if),
    (exp.Case, _case),
    ((exp.ArgMax, exp.ArgMin), _newest),
    (_PICKS, _pick),
    (exp.Filter, _filtered),
    (exp.Window, _over),
    (exp.In, _in),
    (exp.Exists, _exists),
    ((exp.Subquery, exp.Query), _query),
)


def generated(node: exp.Expr, names: Iterable[str], scope: Scope) -> dict[str, Value] | None:
    """The columns that a generator function makes, named as asked; None: it is none.

    `explode` gives one column (two of a map), `posexplode` its position first, `inline` the
    fields of its structs.
    """
    if not isinstance(node, _GENERATORS):
        return None
    asked, value = list(names), value_of(node, scope)
    if isinstance(node, exp.Inline) and value.fields:
        return dict(zip(asked or value.fields, value.fields.values(), strict=False))
    default = ["pos", "col"] if isinstance(node, exp.Posexplode) else ["col"]
    return dict.fromkeys(asked or default, value)
