"""
Descriptions of attributes, read from the source as a reader sees them.

Three forms, the first found counts: a string below the attribute, comment lines right above it, a comment at
its line's end.
"""

import ast
import inspect
import io
import linecache
import re
import tokenize
from functools import lru_cache
from typing import NamedTuple


class _Comments(NamedTuple):
    """Comments by line: those with a line of their own, those beside code."""

    own_lines: dict[int, str]
    beside: dict[int, str]


_NOT_PROSE = re.compile(r"#\s*(noqa|type:|pragma|pylint|mypy|fmt:|isort)")


def attribute_descriptions(python: type) -> dict[str, str]:
    """Return attribute -> description for the class's own attributes; empty without its source."""
    try:
        path = inspect.getsourcefile(python)
    except TypeError:
        return {}
    if path is None:
        return {}
    return _descriptions_of_file(path).get(python.__qualname__, {})


@lru_cache(maxsize=512)
def _descriptions_of_file(path: str) -> dict[str, dict[str, str]]:
    source = "".join(linecache.getlines(path))
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return {}
    comments = _comments(source)
    found: dict[str, dict[str, str]] = {}
    _visit(tree, "", comments, found)
    return found


def _visit(
    node: ast.AST, prefix: str, comments: _Comments, found: dict[str, dict[str, str]]
) -> None:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            name = prefix + child.name
            found[name] = _of_class(child, comments)
            _visit(child, f"{name}.", comments, found)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            _visit(child, f"{prefix}{child.name}.<locals>.", comments, found)
        elif isinstance(child, ast.If | ast.Try | ast.With):
            _visit(child, prefix, comments, found)


def _of_class(node: ast.ClassDef, comments: _Comments) -> dict[str, str]:
    described = {}
    for statement, following in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            target = statement.target
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            target = statement.targets[0]
        else:
            continue
        text = (
            _string(following)
            or _above(statement.lineno, comments.own_lines)
            or _beside(statement, comments.beside)
        )
        if text:
            described[target.id] = text
    return described


def _string(statement: ast.stmt | None) -> str | None:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        value = statement.value.value
        if isinstance(value, str):
            return inspect.cleandoc(value)
    return None


def _above(line: int, own_lines: dict[int, str]) -> str | None:
    lines: list[str] = []
    while (text := own_lines.get(line - 1)) and not _NOT_PROSE.match(text):
        line -= 1
        lines.insert(0, text.lstrip("#:").strip())
    return "\n".join(lines) or None


def _beside(statement: ast.stmt, beside: dict[int, str]) -> str | None:
    comment = beside.get(statement.end_lineno or statement.lineno, "")
    if not comment or _NOT_PROSE.match(comment):
        return None
    return comment.lstrip("#:").strip() or None


def _comments(source: str) -> _Comments:
    found = _Comments({}, {})
    if "#" in source:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                line, column = token.start
                stands_alone = not token.line[:column].strip()
                (found.own_lines if stands_alone else found.beside)[line] = token.string
    return found
