"""What an expression depends on: which of its parts become its value, and which decide on it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from pipelines.insight.lineage.edges import NOTHING, How, Relation, Value, merged

# Marks a `coalesce` of the text itself: any other is sqlglot's, for a column of `using`.
WRITTEN = "written"


@dataclass(frozen=True, kw_only=True)
class Names:
    """What the names in one select mean; sqlglot has put its source before each column.

    Args:
        relation: of a source of the scope, or of a subquery.
        unknown: what to take a name for that nobody knows; it notes the name.
        selected: the select list's own names, for the clauses that come after it.
    """

    scope: Scope
    relation: Callable[[object], Relation]
    unknown: Callable[[str], Value]
    selected: Mapping[str, Value] = field(default_factory=dict)

    def column(self, node: exp.Expr) -> Value:
        """A column of a source, of this select or of one around it."""
        source, scope = node.text("table"), self._holder(node.text("table"))
        columns = self.relation(scope.sources[source]).columns if scope else self.selected
        return columns[node.name] if node.name in columns else self.unknown(node.sql())

    def _holder(self, source: str) -> Scope | None:
        scope: Scope | None = self.scope
        while scope and source not in scope.sources:
            scope = scope.parent
        return scope

    def stars(self, source: str) -> dict[str, Value]:
        """The columns of one source or of all; of equal names the first."""
        columns: dict[str, Value] = {}
        for name in [source] if source else self.scope.selected_sources:
            own = self.relation(self.scope.sources[name]).columns
            columns |= {each: own[each] for each in own if each not in columns}
        return columns


def value_of(node: exp.Expr, names: Names) -> Value:
    """What an expression depends on; without a rule of its own, on all its parts."""
    for kinds, rule in _RULES:
        if isinstance(node, kinds):
            return rule(node, names)
    how = How.AGGREGATION if isinstance(node, exp.AggFunc) else How.TRANSFORMATION
    return merged(_parts(node, node.args, names)).opaque(how)


def columns_of(item: exp.Expr, names: Names) -> dict[str, Value]:
    """The columns that an entry of a select list, or a lateral view, makes.

    Of `inline` they are the fields of its structs; of others each depends on the whole.
    """
    several = item.aliases if isinstance(item, exp.Aliases) else []
    aliases = [each.name for each in several] or item.alias_column_names or [item.alias_or_name]
    made = item.this if isinstance(item, exp.Aliases | exp.Lateral) else item
    value = value_of(made, names)
    if isinstance(made, exp.Inline) and value.fields:
        return dict(zip(aliases, value.fields.values(), strict=False))
    return dict.fromkeys(aliases, value)


def _parts(node: exp.Expr, keys: Iterable[str], names: Names) -> Iterator[Value]:
    for key in keys:
        found = node.args.get(key)
        for part in found if isinstance(found, list) else [found]:
            if isinstance(part, exp.Expr):
                yield value_of(part, names)


@dataclass(frozen=True)
class _Rule:
    """The parts that become the value, how, and those that decide which value it is."""

    value: Sequence[str] = ("this",)
    how: How = How.IDENTITY
    decided: Sequence[str] = ()
    by: How = How.CONDITIONAL

    def __call__(self, node: exp.Expr, names: Names) -> Value:
        value = merged(_parts(node, self.value, names)).via(self.how)
        return value.decided_by(_parts(node, self.decided, names), self.by)


def _column(node: exp.Expr, names: Names) -> Value:
    if isinstance(node.this, exp.Star):
        return Value(fields=names.stars(node.text("table")))
    return names.column(node)


def _dot(node: exp.Expr, names: Names) -> Value:
    """A field of a struct; of a value whose fields nobody knows, the value."""
    whole, name = value_of(node.this, names), node.expression.name
    if not whole.fields:
        return whole
    return whole.fields[name] if name in whole.fields else names.unknown(node.sql())


def _struct(node: exp.Expr, names: Names) -> Value:
    fields: dict[str, Value] = {}
    for position, part in enumerate(node.expressions, start=1):
        if part.is_star:
            fields |= names.stars(part.text("table"))
        else:
            own = part.expression if isinstance(part, exp.PropertyEQ) else part
            fields[part.alias_or_name or f"col{position}"] = value_of(own, names)
    return Value(merged(fields.values()).sources, fields)


def _coalesce(node: exp.Expr, names: Names) -> Value:
    """A column of `using` is the first relation's."""
    if WRITTEN not in node.meta:
        return value_of(node.this, names)
    return merged(_parts(node, node.args, names)).opaque(How.TRANSFORMATION)


def _window(node: exp.Expr, names: Names) -> Value:
    """Decided by what the window, or the one it names, is parted and ordered by."""
    windows = names.scope.expression.args.get("windows") or ()
    frames = [node, *(each for each in windows if each.name == node.text("alias"))]
    keys = ("partition_by", "order")
    decided = (part for each in frames for part in _parts(each, keys, names))
    return value_of(node.this, names).decided_by(decided, How.WINDOW)


def _query(node: exp.Expr, names: Names) -> Value:
    return names.relation(node.unnest()).everything


_RULES: Sequence[tuple[type | tuple[type, ...], Callable[[exp.Expr, Names], Value]]] = (
    (exp.Star, lambda _node, _names: NOTHING),
    (exp.Column, _column),
    (exp.Dot, _dot),
    (exp.Struct, _struct),
    (exp.Coalesce, _coalesce),
    (exp.Window, _window),
    (exp.Query, _query),
    ((exp.Alias, exp.Paren, exp.Ordered), _Rule()),
    (exp.Array, _Rule(("expressions",))),
    ((exp.Inline, exp.Explode, exp.Posexplode), _Rule(how=How.TRANSFORMATION)),
    (exp.Bracket, _Rule(decided=("expressions",))),
    (exp.If, _Rule(("true", "false"), How.TRANSFORMATION, ("this",))),
    (exp.Case, _Rule(("ifs", "default"), How.TRANSFORMATION, ("this",))),
    (exp.Filter, _Rule(decided=("expression",))),
    (exp.In, _Rule(("this", "expressions"), How.TRANSFORMATION, ("query",))),
    (exp.Exists, _Rule((), decided=("this",))),
    # `max_by(value, order)`: the struct of one row, chosen by another value.
    ((exp.ArgMax, exp.ArgMin), _Rule(("this",), How.AGGREGATION, ("expression",), How.SORT)),
    # These pass one row's value on: no aggregates, although sqlglot files them so.
    (
        (exp.Lead, exp.Lag, exp.FirstValue, exp.LastValue, exp.NthValue),
        _Rule(("this", "offset", "default"), How.TRANSFORMATION),
    ),
)
