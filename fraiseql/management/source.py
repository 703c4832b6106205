"""
Inferred types to the Python source of a ``bindings.py``.
"""

import json
import keyword
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fraiseql.checks.types import annotation
from fraiseql.management.inference import ANY, Enumeration, Node
from fraiseql.schema.names import camel_case, pascal_case
from fraiseql.schema.scalars import SCALARS

_HEADER = '"""Bindings drafted by manage.py fraiseql_draft from what the views hold; now they are yours."""'
_IMPORTS = {
    "date": "datetime",
    "datetime": "datetime",
    "time": "datetime",
    "timedelta": "datetime",
    "Decimal": "decimal",
    "UUID": "uuid",
}
# Attributes of these names would hide what annotations below them mean.
_HIDING = frozenset(
    {*_IMPORTS, "str", "int", "float", "bool", "list", "enum", "fraiseql", "scalars"}
)
_TAKEN_TYPES = frozenset(
    {
        *SCALARS,
        *_IMPORTS,
        "None",
        "True",
        "False",
        "Query",
        "Mutation",
        "Subscription",
        "PageInfo",
        "OrderDirection",
    }
)
_NOT_ENUM_MEMBERS = frozenset({"true", "false", "null", "mro"})
_ALWAYS_PLURAL = ("news", "series", "species")
# What an attribute called id may hold, which goes out as an ID.
_ID_SCALARS = frozenset({"String", "Int", "BigInt", "UUID", "Date", "Time"})
_FIRST = ("id", "identifier")
_PREFIXES = ("v_", "tv_", "mv_", "tb_")


@dataclass(frozen=True)
class BoundView:
    """
    A view to bind. ``fields``: its documents' keys with their types.

    ``description``: of the view; ``descriptions``: of keys that are columns. ``key``: columns of a unique
    index, which find a row where there is neither id nor identifier.
    """

    view: str
    source: str | None
    jsonb: str | None
    type_name: str
    fields: Mapping[str, Node]
    description: str | None = None
    descriptions: Mapping[str, str] = field(default_factory=dict)
    key: tuple[str, ...] = ()


@dataclass
class _Type:
    name: str
    node: Node
    bound: BoundView | None = None
    attributes: dict[str, str] = field(default_factory=dict)


def type_name(view: str) -> str:
    """Return what the type of a view is called: ``sales.tv_order_line`` -> ``OrderLine``."""
    name = view.rpartition(".")[2].strip('"')
    prefix = next((prefix for prefix in _PREFIXES if name.lower().startswith(prefix)), "")
    made = pascal_case(singular(snake(name[len(prefix) :] or name))) or "Row"
    made = f"N{made}" if made[0].isdigit() else made
    return f"{made}Type" if made in _TAKEN_TYPES else made


def write(views: Iterable[BoundView]) -> str:
    """Return the source of a module that binds ``views``."""
    return _Module(list(views)).text()


class _Module:
    """Names every type once, then writes each after those it refers to."""

    def __init__(self, views: list[BoundView]) -> None:
        self.types: list[_Type] = []
        self.names: set[str] = set(_TAKEN_TYPES)
        self.enums: dict[Enumeration, str] = {}
        self.enum_texts: list[str] = []
        self.used: set[str] = set()
        self.written: dict[str, str] = {}
        self.begun: set[str] = set()
        self.bound = [self._bind(view) for view in views]
        for entry in self.bound:
            self._name_embedded(entry.node, entry.name)

    def text(self) -> str:
        for entry in self.bound:
            self._write(entry)
        classes = [*self.enum_texts, *self.written.values(), self._query()]
        return "\n\n\n".join([_HEADER + "\n\n" + self._imports(), *classes]) + "\n"

    # Names

    def _bind(self, view: BoundView) -> _Type:
        name = self._free(view.type_name)
        made = _Type(name, Node(nullable=False, fields=view.fields), view)
        # Two views of one shape stay two types; embedded objects of that shape are the first.
        self.types.append(made)
        return made

    def _find(self, node: Node) -> _Type | None:
        return next((entry for entry in self.types if entry.node.is_like(node)), None)

    def _name_embedded(self, node: Node, owner: str) -> None:
        for key, below in (node.fields or {}).items():
            is_list = below.item is not None
            while below.item is not None:
                below = below.item
            if below.fields is None:
                continue
            known = self._find(below)
            if known is None:
                name = pascal_case(snake(singular(key) if is_list else key)) or "Entry"
                name = f"N{name}" if name[0].isdigit() else name
                name = self._free(name if name not in self.names else f"{owner}{name}")
                known = _Type(name, below)
                self.types.append(known)
            else:
                known.node = known.node.merged(below)
            self._name_embedded(below, known.name)

    def _free(self, wanted: str) -> str:
        name, number = wanted, 2
        while name in self.names:
            name, number = f"{wanted}{number}", number + 1
        self.names.add(name)
        return name

    # Text

    def _write(self, entry: _Type) -> None:
        if entry.name in self.begun:
            return
        self.begun.add(entry.name)
        lines = [self._decorator(entry), f"class {entry.name}:"]
        view = entry.bound
        if view is not None and view.description:
            lines += [f"    {_docstring(view.description)}", ""]
        attributes = _Names()
        for key, node in _in_order(entry.node.fields or {}):
            attribute = entry.attributes[key] = attributes.add(
                key, is_id=node.scalar in _ID_SCALARS
            )
            comment = (view.descriptions if view is not None else {}).get(key, "")
            lines += [f"    # {line}".rstrip() for line in comment.strip().splitlines()]
            value = "" if attribute == key else f" = fraiseql.field(key={_quoted(key)})"
            shown = self._annotation(node)
            if any(name not in self.written for name in self._types_in(node)):
                shown = _quoted(shown)  # A type that holds itself has no name yet.
            lines.append(f"    {attribute}: {shown}{value}")
        # Now, because the types it refers to have been written on the way.
        self.written[entry.name] = "\n".join(lines)

    @staticmethod
    def _decorator(entry: _Type) -> str:
        view = entry.bound
        if view is None:
            return "@fraiseql.type"
        options = [f"view={_quoted(view.view)}"]
        if view.source is not None:
            options.append(f"source={_quoted(view.source)}")
        if view.jsonb != "data":
            options.append(f"jsonb={_quoted(view.jsonb) if view.jsonb else None}")
        return f"@fraiseql.type({', '.join(options)})"

    def _annotation(self, node: Node) -> str:
        if node.item is not None:
            shown = f"list[{self._annotation(node.item)}]"
        elif node.enumeration is not None:
            shown = self._enum(node.enumeration)
        elif node.fields is not None:
            (shown,) = self._types_in(node)
            self._write(next(entry for entry in self.types if entry.name == shown))
        else:
            shown = f"scalars.{ANY}" if node.scalar == ANY else annotation(node.scalar or ANY)
            self.used.add(shown.partition(".")[0])
        return f"{shown} | None" if node.nullable or not node.is_known else shown

    def _types_in(self, node: Node) -> list[str]:
        """Return the name of the object type that an annotation of ``node`` holds, if any."""
        while node.item is not None:
            node = node.item
        found = self._find(node) if node.fields is not None else None
        return [found.name] if found is not None else []

    def _enum(self, enumeration: Enumeration) -> str:
        if enumeration not in self.enums:
            bare = enumeration.name.rpartition(".")[2].strip('"')
            name = self.enums[enumeration] = self._free(pascal_case(snake(bare)))
            members = _Names(upper=True)
            lines = ["@fraiseql.enum", f"class {name}(enum.Enum):"]
            lines += [
                f"    {members.add(label)} = {_quoted(label)}" for label in enumeration.labels
            ]
            self.enum_texts.append("\n".join(lines))
        return self.enums[enumeration]

    def _query(self) -> str:
        names = _Names()
        lines = ["class Query(fraiseql.Query):"]
        for entry in self.bound:
            single = snake(entry.name)
            one = self._one(entry)
            if one is not None:
                lines.append(f"    {names.add(single)} = {one}")
            shown = plural(single)
            several = names.add(shown if shown != single else f"all_{single}")
            lines.append(f"    {several} = fraiseql.many({entry.name})")
        return "\n".join(lines)

    @staticmethod
    def _one(entry: _Type) -> str | None:
        """Return the root field that finds one row, or None if nothing tells rows apart."""
        fields = entry.node.fields or {}
        named = [key for key, attribute in entry.attributes.items() if attribute in _FIRST]
        keys = named or list(entry.bound.key if entry.bound is not None else ())
        if not keys or any(fields[key].scalar in (None, ANY) for key in keys):
            return None
        if named:
            return f"fraiseql.one({entry.name})"
        by = ", ".join(_quoted(entry.attributes[key]) for key in keys)
        return f"fraiseql.one({entry.name}, by=[{by}])"

    def _imports(self) -> str:
        modules: dict[str, list[str]] = {}
        for name in sorted(self.used & set(_IMPORTS)):
            modules.setdefault(_IMPORTS[name], []).append(name)
        standard = [f"from {module} import {', '.join(names)}" for module, names in modules.items()]
        first = (["import enum"] if self.enums else []) + sorted(standard)
        own = ["import fraiseql"]
        if "scalars" in self.used:
            own.append("from fraiseql import scalars")
        return "\n\n".join("\n".join(block) for block in (first, own) if block)


def _in_order(fields: Mapping[str, Node]) -> list[tuple[str, Node]]:
    """Return fields with the keys first; jsonb sorts by length."""
    return sorted(fields.items(), key=lambda pair: pair[0] not in _FIRST)


class _Names:
    """Python names for keys, which differ in GraphQL too."""

    def __init__(self, *, upper: bool = False) -> None:
        self._upper = upper
        self._shown: set[str] = set()

    def add(self, key: str, *, is_id: bool = True) -> str:
        """Return a name for ``key`` that no key before has; ``is_id``: it may be called id."""
        name = snake(key)
        name = name.upper() if self._upper else name
        if self._upper:
            name = f"{name}_" if name.lower() in _NOT_ENUM_MEMBERS else name
            name = name or "EMPTY"
        elif keyword.iskeyword(name) or name in _HIDING or (name == "id" and not is_id):
            name = f"{name}_"
        if not name or name[0].isdigit():
            name = ("VALUE_" if self._upper else "n") + name
        wanted, number = name, 2
        while self._in_graphql(name) in self._shown:
            name, number = f"{wanted}_{number}", number + 1
        self._shown.add(self._in_graphql(name))
        return name

    def _in_graphql(self, name: str) -> str:
        return name if self._upper else camel_case(name)


def snake(name: str) -> str:
    """Return ``name`` in snake_case, of ASCII letters, digits and single underscores."""
    text = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", text)
    return re.sub(r"[^0-9A-Za-z]+", "_", text).strip("_").lower()


def singular(word: str) -> str:
    """Return an English noun in the singular, as far as its ending tells."""
    if re.search(r"[^aeiou]ies$", word):
        return word[:-3] + "y"
    if re.search(r"(ss|x|ch|sh)es$", word):
        return word[:-2]
    is_plural = re.search(r"[^siu]s$", word) and not word.endswith(_ALWAYS_PLURAL)
    return word[:-1] if is_plural else word


def plural(word: str) -> str:
    """Return an English noun in the plural; a plural stays one."""
    if word.endswith(_ALWAYS_PLURAL):
        return word
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ies"
    if re.search(r"(s|x|ch|sh)$", word):
        return word + "es" if singular(word) == word else word
    return word + "s"


def _quoted(text: str) -> str:
    # JSON's escapes are Python's, and its quotes are the formatter's.
    return json.dumps(text, ensure_ascii=False)


def _docstring(text: str) -> str:
    return f'""{_quoted(" ".join(text.split()))}""'
