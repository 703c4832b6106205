"""
The Python that binds generated SQL: types, inputs, mutations and root fields, put into an app's ``bindings.py``.
"""

import ast
import keyword
import re
import sys
from collections.abc import Collection, Iterator, Sequence

from fraiseql.checks.types import annotation, declared_name
from fraiseql.errors import ConfigurationError
from fraiseql.management.generate.rendering import render_python
from fraiseql.management.generate.tables import Table, Tables
from fraiseql.management.source import plural, snake
from fraiseql.schema.names import camel_case, pascal_case
from fraiseql.schema.registry import MutationDeclaration, Registry
from fraiseql.schema.scalars import SCALARS
from fraiseql.schema.specs import ObjectSpec

_MODULES = {
    "Any": "typing",
    "Decimal": "decimal",
    "UUID": "uuid",
    "scalars": "fraiseql",
    **dict.fromkeys(("date", "datetime", "time", "timedelta"), "datetime"),
}
_SCALARS = {word.lower(): name for name in SCALARS for word in (name, annotation(name))}
_EVERY = ("id", "identifier", "version", "created_at", "updated_at")
_ENUM = re.compile(r"[a-z]\w*(,[a-z]\w*)+", re.ASCII | re.IGNORECASE)
_FIELD = re.compile(r"(?P<name>[a-z]\w*):(?P<type>[^:]+)(?P<words>(:list|:optional)*)", re.ASCII)


def missing(tables: Tables, table: Table, declared: Registry) -> list[str]:
    """Return the classes that bind what is made of a type, as far as nobody has declared them."""
    names, spec = table.names, tables.specs[table.names.type]
    functions = {
        entry.function
        for entry in declared.mutations.values()
        if isinstance(entry, MutationDeclaration)
    }
    found = [text for part in _parts(spec) if (text := _input(part, declared)) is not None]
    for verb, description, lines in _mutations(table):
        function = f"{names.prefix}fn_{verb}_{names.stem}"
        if function not in functions:
            name = f"{verb.title()}{names.type}"
            decorator = f'@fraiseql.mutation(function="{function}")'
            found.append(_class(decorator, name, description, lines))
    if spec.python not in {root.type for _, root in declared.roots.values()}:
        found.append(query(names.type, snake(names.type)))
    return found


def query(type_name: str, single: str) -> str:
    """Return the root fields of a type."""
    several = plural(single) if plural(single) != single else f"all_{single}"
    lines = [f"{single} = fraiseql.one({type_name})", f"{several} = fraiseql.many({type_name})"]
    return _class(
        "", f"{type_name}Query(fraiseql.Query)", f"What clients may ask of {type_name}.", lines
    )


def model(name: str, fields: Sequence[str], declared: Registry) -> list[str]:
    """Return the class of a type, and those of its enums, from ``field:type`` words. Raises ConfigurationError."""
    enums: list[str] = []
    lines = ["id: UUID", "identifier: str"]
    for word in fields:
        match = _FIELD.fullmatch(word)
        if match is None or match["name"] in _EVERY or keyword.iskeyword(match["name"]):
            raise ConfigurationError(
                f"{word!r} is no field of a new type.",
                hint="Write name:type, with :list or :optional (tags:str:list)."
                f" Every type has {', '.join(_EVERY)}.",
            )
        shown, kind = match["type"], match["type"]
        if _ENUM.fullmatch(kind):
            shown = f"{name}{pascal_case(match['name'])}"
            members = [f'{snake(label).upper()} = "{label}"' for label in kind.split(",")]
            enums.append(
                _class(
                    "@fraiseql.enum",
                    f"{shown}(enum.Enum)",
                    f"What {match['name']} may be.",
                    members,
                )
            )
        elif kind != name and kind not in declared.by_name():
            shown = annotation(_scalar(word, kind, declared))
        shown = f"list[{shown}]" if ":list" in match["words"] else shown
        shown += " | None" if ":optional" in match["words"] else ""
        value = ""
        if kind == name:
            # A document cannot hold itself, and the class has no name yet.
            shown, value = f'"{shown}"', f' = fraiseql.related(local="{match["name"]}_id")'
        lines.append(f"{match['name']}: {shown}{value}")
    lines += ["version: int", "created_at: datetime", "updated_at: datetime"]
    stem = snake(name)
    decorator = f'@fraiseql.type(view="tv_{stem}", source="v_{stem}")'
    shown = f"{'An' if stem[0] in 'aeiou' else 'A'} {stem.replace('_', ' ')}."
    return [*enums, _class(decorator, name, shown, lines)]


def _scalar(word: str, kind: str, declared: Registry) -> str:
    if kind.lower() not in _SCALARS:
        known = sorted({*map(annotation, SCALARS), *declared.by_name()})
        shown = ", ".join(one.removeprefix("scalars.") for one in known)
        raise ConfigurationError(
            f"{word}: there is no type {kind!r}.",
            hint=f"There are {shown}; draft,published makes an enum.",
        )
    return _SCALARS[kind.lower()]


def added(source: str, classes: Sequence[str], declared: Registry, module: str) -> str:
    """Return a module's source with ``classes`` at its end, and the imports these need."""
    source = source or f'"""GraphQL types of {module.rpartition(".")[0]}, bound to its views."""'
    lines = source.rstrip("\n").splitlines()
    needed = imports(source, classes, declared, module)
    standard = [text for text in needed if _is_standard(text)]
    others = [text for text in needed if text not in standard]
    at = [node for node in ast.parse(source).body if isinstance(node, ast.Import | ast.ImportFrom)]
    before, after = lines, list[str]()
    if at:
        first, last = at[0].lineno - 1, at[-1].end_lineno or 0
        before, known, after = lines[:first], lines[first:last], lines[last:]
        if all(text.startswith(("import ", "from ")) or not text for text in known):
            # Sorted as isort does: modules first, then names.
            known = [text for text in known if text]
            standard = sorted({*standard, *filter(_is_standard, known)}, key=_by_kind)
            others = sorted({*others, *known} - {*standard}, key=_by_kind)
        else:
            standard, others = [*standard, *known, *others], []
    head = "\n\n".join("\n".join(part).strip("\n") for part in (before, standard, others) if part)
    parts = [head, "\n".join(after).strip("\n"), *(one.rstrip() for one in classes)]
    return "\n\n\n".join(filter(None, parts)) + "\n"


def _by_kind(text: str) -> tuple[bool, str]:
    return text.startswith("from "), text


def imports(source: str, classes: Sequence[str], declared: Registry, module: str) -> list[str]:
    """Return the imports that ``classes`` need in a module of this source."""
    tree, new = ast.parse(source), ast.parse("\n".join(classes))
    modules = {name: python.__module__ for name, python in declared.by_name().items()} | _MODULES
    wanted = {node.id for node in ast.walk(new) if isinstance(node, ast.Name)}
    wanted -= set(_bound(tree)) | set(_bound(new))
    whole = [f"import {name}" for name in ("enum", "fraiseql", "json") if name in wanted]
    named = [name for name in sorted(wanted) if modules.get(name, module) != module]
    return [*whole, *(f"from {modules[name]} import {name}" for name in named)]


def _is_standard(text: str) -> bool:
    return text.split()[1].partition(".")[0] in sys.stdlib_module_names


def _bound(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name


def _mutations(table: Table) -> Iterator[tuple[str, str, list[str]]]:
    """Yield verb, description and attributes of each mutation of a type."""
    label, name = table.names.one, table.names.type
    given = [(one, f"{one.name}: {one.annotation}") for one in table.inputs]
    lines = [line + (" | None" if one.is_optional else "") for one, line in given]
    yield "create", f"Write {label}.", [*lines, f"returns: {name}"]
    lines = ["id: UUID", *(["expected_version: int | None"] if table.locks else [])]
    lines += [f"{line} | None" for _, line in given]
    yield "update", f"Change what is given of {label}.", [*lines, f"returns: {name}"]
    yield "delete", f"Delete {label}.", ["id: UUID", "returns: UUID"]


def _parts(spec: ObjectSpec) -> Iterator[ObjectSpec]:
    """Yield the types without a view that are parts of a type, innermost first."""
    for entry in spec.fields.values():
        target = entry.type.innermost
        if entry.is_stored and isinstance(target, ObjectSpec) and target.view is None:
            yield from _parts(target)
            yield target


def _input(spec: ObjectSpec, declared: Registry) -> str | None:
    name = f"{spec.name}Input"
    if name in {entry.name for entry in declared.inputs.values()}:
        return None
    lines = []
    for entry in spec.fields.values():
        if entry.compute is None:
            shown, target = declared_name(entry), entry.type.innermost
            if isinstance(target, ObjectSpec):
                shown = shown.replace(target.python.__name__, f"{target.name}Input")
            shown += " | None" if entry.type.nullable else ""
            given = (
                ""
                if camel_case(entry.key) == entry.name
                else f' = fraiseql.field(name="{entry.name}")'
            )
            lines.append(f"{entry.key}: {shown}{given}")
    return _class("@fraiseql.input", name, f"A {spec.name}, as clients give it.", lines)


def _class(decorator: str, name: str, description: str, lines: Collection[str]) -> str:
    values = {"decorator": decorator, "name": name, "description": description, "lines": lines}
    return render_python("class", values)
