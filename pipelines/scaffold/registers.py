"""One line more in each of the two files that list the use cases.

Each file is read as Python, so that a comment or a longer list does not lead astray, and refused
if it is not what it is expected to be.
"""

import ast
import re

from pipelines.core.errors import MillraceError


def with_use_case(text: str, name: str) -> str:
    """`pipelines/use_cases/__init__.py` with the case's import and its value in `USE_CASES`."""
    statement = _statement(text, "USE_CASES")
    listed = [n.elts for n in _inside(statement) if isinstance(n, ast.Tuple) and n.elts]
    values = next((e for e in listed if all(isinstance(v, ast.Name) for v in e)), None)
    if values is None:
        raise _unexpected("pipelines/use_cases/__init__.py", "USE_CASES")
    constants = [*(ast.unparse(value) for value in values), name.upper()]
    lines = "".join(f"            {constant},\n" for constant in constants)
    made = (
        "USE_CASES: Mapping[str, UseCase] = MappingProxyType(\n    {\n"
        f"        case.name: case\n        for case in (\n{lines}        )\n    }}\n)"
    )
    return _with_import(_replaced(text, statement, made), f"pipelines.use_cases.{name}", name)


def with_features(text: str, name: str) -> str:
    """`features/__init__.py` with the case's module in `CASES`."""
    statement = _statement(text, "CASES")
    found = next((node for node in _inside(statement) if isinstance(node, ast.Dict)), None)
    if found is None or not all(isinstance(key, ast.Constant) for key in found.keys):
        raise _unexpected("features/__init__.py", "CASES")
    modules = {**ast.literal_eval(found), name: f"features.{name}"}
    lines = "".join(f'        "{case}": "{module}",\n' for case, module in modules.items())
    made = f"CASES: Mapping[str, str] = MappingProxyType(\n    {{\n{lines}    }}\n)"
    return _replaced(text, statement, made)


def _statement(text: str, name: str) -> ast.AnnAssign:
    for statement in ast.parse(text).body:
        is_it = isinstance(statement, ast.AnnAssign) and ast.unparse(statement.target) == name
        if is_it and isinstance(statement, ast.AnnAssign):
            return statement
    raise _unexpected("the list of use cases", name)


def _inside(statement: ast.AnnAssign) -> list[ast.AST]:
    """What the value is made of, without its annotation."""
    return list(ast.walk(statement.value)) if statement.value else []


def _unexpected(where: str, name: str) -> MillraceError:
    return MillraceError(f"{where}: {name} is not written as expected; add the case by hand")


def _replaced(text: str, statement: ast.stmt, made: str) -> str:
    lines = text.splitlines(keepends=True)
    end = statement.end_lineno or statement.lineno
    return "".join([*lines[: statement.lineno - 1], f"{made}\n", *lines[end:]])


def _with_import(text: str, module: str, name: str) -> str:
    """The import where the sorted ones have their place."""
    imports = [each for each in ast.parse(text).body if isinstance(each, ast.ImportFrom)]
    earlier = [each for each in imports if import_order(each.module or "") < import_order(module)]
    after = (earlier[-1].end_lineno or 0) if earlier else imports[0].lineno - 1
    lines = text.splitlines(keepends=True)
    made = f"from {module} import {name.upper()}\n"
    return "".join([*lines[:after], made, *lines[after:]])


def import_order(module: str) -> tuple[bool, list[tuple[bool, int, str]]]:
    """Ours after the standard library's; within, numbers by their value, as ruff sorts them."""
    parts = re.findall(r"[0-9]+|[^0-9]+", module)
    keys = [(not p.isdigit(), int(p) if p.isdigit() else 0, p) for p in parts]
    return module.split(".", maxsplit=1)[0] == "pipelines", keys
