"""Which table of a database a name means, and the columns that it has."""

import re
import warnings
from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy import quoted_name
from sqlalchemy.exc import SAWarning
from sqlalchemy.types import TypeEngine

from pipelines.core.errors import BatchRefused

# A name in the quotes of any dialect, in which a quote stands twice, or one without.
_PIECE = re.compile(r'"((?:[^"]|"")+)"|`((?:[^`]|``)+)`|\[([^\]]+)\]|([^."`\[]+)')
_NAMES_SHOWN = 20


def found(connection: sa.Connection, name: str) -> tuple[sa.TableClause, list[str]]:
    """The table or view of that name, and the columns of its primary key.

    Raises:
        BatchRefused: there is none; says which there are.
    """
    inspector = sa.inspect(connection)
    with warnings.catch_warnings():
        # Of a type that SQLAlchemy does not know: its values are shown as texts.
        warnings.simplefilter("ignore", SAWarning)
        meant = (each for each in meanings(name) if inspector.has_table(each[1], each[0]))
        schema, table = next(meant, (None, ""))
        if not table:
            raise BatchRefused(_not_there(inspector, name))
        columns = inspector.get_columns(table, schema)
        key = inspector.get_pk_constraint(table, schema)["constrained_columns"]
    return _clause(table, schema, {each["name"]: each["type"] for each in columns}), key


def meanings(name: str) -> Iterator[tuple[str | None, str]]:
    """The schema and table that a name may mean, the likeliest first.

    Example:
        >>> list(meanings('shop."Daily.Orders"'))
        [(None, 'shop."Daily.Orders"'), ('shop', 'Daily.Orders')]
        >>> list(meanings("shop.orders"))
        [(None, 'shop.orders'), ('shop', 'orders')]
    """
    yield None, name
    pieces = [_unquoted(piece) for piece in _PIECE.finditer(name)]
    if _PIECE.sub("", name) == "." * (len(pieces) - 1) and pieces:
        yield ".".join(pieces[:-1]) or None, pieces[-1]


def _unquoted(piece: re.Match[str]) -> str:
    double, back, square, plain = piece.groups()
    if double or back:
        return (double or "").replace('""', '"') + (back or "").replace("``", "`")
    return square or plain


def _not_there(inspector: sa.Inspector, name: str) -> str:
    *_, (schema, table) = meanings(name)
    if schema is not None and schema not in inspector.get_schema_names():
        schema = None
    names = sorted({*inspector.get_table_names(schema), *inspector.get_view_names(schema)})
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    listed = ", ".join(names[:_NAMES_SHOWN]) or "none"
    return f"there is no table {table}; there is {listed}{more}"


def _clause(
    name: str, schema: str | None, columns: dict[str, TypeEngine[object]]
) -> sa.TableClause:
    """Names in quotes everywhere: a list of reserved words is never that of this server."""
    made = [sa.column(quoted_name(each, quote=True), kind) for each, kind in columns.items()]
    return sa.table(
        quoted_name(name, quote=True),
        *made,
        schema=None if schema is None else quoted_name(schema, quote=True),
    )
