"""Values as Python source that ruff's formatter leaves as it is."""

import json
import re
import textwrap
from collections.abc import Sequence
from dataclasses import fields

from pipelines.data.reading.dialect import Dialect
from pipelines.data.reading.notation import Notation

WIDTH = 100
# For the name before a value; a break too early is left by the formatter as well.
_ROOM = 24


def quoted(text: str) -> str:
    """A string literal in ASCII, in double quotes unless single ones escape less.

    Example:
        >>> print(quoted("it's"), quoted('a "b"'))
        "it's" 'a "b"'
    """
    plain = ascii(text)[1:-1].replace("\\'", "'")
    double, single = text.count('"'), text.count("'")
    if double <= single:
        return '"' + plain.replace('"', '\\"') + '"'
    return "'" + plain.replace("'", "\\'") + "'"


def call(opening: str, arguments: Sequence[str], closing: str, indent: int) -> str:
    """`opening(a, b)closing` on one line if it fits, else an argument a line."""
    one_line = f"{opening}{', '.join(arguments)}{closing}"
    if len(arguments) == 1 and opening == "(":
        one_line = f"({arguments[0]},)"
    if indent + _ROOM + len(one_line) < WIDTH and arguments:
        return one_line
    return exploded(opening, arguments, closing, indent)


def exploded(opening: str, items: Sequence[str], closing: str, indent: int = 0) -> str:
    """An item a line, which the formatter leaves so."""
    if not items:
        return f"{opening}{closing}"
    pad = " " * indent
    lines = "".join(f"{pad}    {_checked(item, indent)}\n" for item in items)
    return f"{opening}\n{lines}{pad}{closing}"


def _checked(argument: str, indent: int) -> str:
    """With its comma; a text that is longer than a line is kept in one."""
    too_long = indent + 5 + len(argument) > WIDTH and "\n" not in argument
    return f"{argument},  # noqa: E501" if too_long else f"{argument},"


def said(value: Dialect | Notation, plain: Dialect | Notation, indent: int) -> str:
    """What of a dataclass is not plain, as its call."""
    pairs = ((each.name, getattr(value, each.name)) for each in fields(value))
    unlike = [f"{n}={_literal(v)}" for n, v in pairs if v != getattr(plain, n)]
    return call(f"{type(value).__name__}(", unlike, ")", indent)


def _literal(value: object) -> str:
    match value:
        case str():
            return quoted(value)
        case tuple():
            return names(value)
        case frozenset():
            return f"frozenset({{{', '.join(map(quoted, sorted(value)))}}})"
        case _:
            return repr(value)


def names(values: Sequence[str], indent: int = 0) -> str:
    """A tuple of strings."""
    return call("(", [quoted(value) for value in values], ")", indent)


def number(value: float) -> str:
    """A number literal of few digits.

    Example:
        >>> number(97.0), number(0.123456)
        ('97', '0.1235')
    """
    if value == int(value) and abs(value) < 1e15:  # noqa: PLR2004
        return str(int(value))
    return repr(float(f"{value:.4g}"))


def yaml_text(text: str) -> str:
    """A text in YAML, in double quotes.

    Example:
        >>> print(yaml_text('a: "b"'))
        "a: \\"b\\""
    """
    return json.dumps(text, ensure_ascii=False)


def sql_text(text: str) -> str:
    """A Spark SQL literal of exactly this text, which dbt's jinja reads through unchanged.

    Example:
        >>> print(sql_text("it's {{ x }}"))
        'it\\u0027s \\u007b\\u007b x \\u007d\\u007d'
    """
    return "'" + re.sub(r"[^A-Za-z0-9 .,:;%()<>=!?&*/+_-]", _escaped, text) + "'"


def _escaped(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"  # noqa: PLR2004


def wrapped(text: str, indent: int = 0, mark: str = "") -> str:
    """A paragraph of a docstring, or with its mark of a comment."""
    plain = text.encode("ascii", "backslashreplace").decode().replace("\\", "/")
    pad = " " * indent + mark
    return textwrap.fill(plain, WIDTH, initial_indent=pad, subsequent_indent=pad)


def import_order(module: str) -> tuple[bool, list[tuple[bool, int, str]]]:
    """Ours after the standard library's; within, numbers by their value, as ruff sorts them."""
    parts = re.findall(r"[0-9]+|[^0-9]+", module)
    keys = [(not p.isdigit(), int(p) if p.isdigit() else 0, p) for p in parts]
    return module.split(".", maxsplit=1)[0] == "pipelines", keys
