"""Random valid operations on a schema."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_composite_type,
)
from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]

MAX_DEPTH = 4

SAMPLES: dict[str, list[Any]] = {
    "String": ["", "a", "50%", "it's", 'say "x"', "\\", "%s", "ü😀"],
    "Int": [0, 1, -1, 2, 2147483647],
    "Float": [0.5, 1, -1e300],
    "Boolean": [True, False],
    "ID": ["1", "2", 3],
    "BigInt": [1, "9007199254740993"],
    "Decimal": ["1.50", 2, -0.25],
    "UUID": ["00000000-0000-4000-8000-000000000001"],
    "DateTime": ["2024-01-31T12:00:00Z", "1999-12-31T23:59:59+05:30"],
    "Date": ["2024-01-31"],
    "Time": ["12:00:00"],
    "IpAddress": ["10.0.0.1", "::1"],
    "CIDR": ["10.0.0.0/8"],
    "JSON": [{"a": [1]}, [], "x", 1],
    "CountryCode": ["NO"],
    "Timezone": ["UTC", "Europe/Berlin", "Asia/Kathmandu"],
    "IpRange": ["10.0.0.1-10.0.0.9"],
}
# Text in a grammar of its own: a random one is mostly a fault, and those have tests of their own.
AVOIDED = {"matches", "imatches", "path_exists", "path_match", "similar", "nmatches"}


@dataclass(frozen=True)
class Drawn:
    """An operation. ``body``: its root selections without braces, to which a test may add."""

    head: str
    body: str
    fragments: str
    variables: dict[str, Any]

    def text(self, extra: str = "") -> str:
        """Return the document, with ``extra`` as the last root selection."""
        return f"query Drawn{self.head} {{ {self.body}{extra} }}{self.fragments}"


@dataclass
class Operations:
    """Draws operations on ``schema`` that ask only for the root fields in ``roots``."""

    schema: GraphQLSchema
    roots: list[str]
    draw: Draw
    definitions: dict[str, str] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    fragments: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def operation(self) -> Drawn:
        """Return a random operation."""
        assert self.schema.query_type is not None
        selections = []
        for _ in range(self.draw(st.integers(1, 3))):
            name = self.draw(st.sampled_from(self.roots))
            selections.append(self._root(name))
        if self.draw(st.integers(0, 3)) == 0:
            selections.append(f"{self._unique('t')}: __typename")
        body = " ".join(selections)
        if self.draw(st.integers(0, 4)) == 0:
            body = f"... on Query {{ {body} }}"
        head = ", ".join(self.definitions.values())
        return Drawn(
            f"({head})" if head else "",
            body,
            "".join(f" {text}" for text in self.fragments.values()),
            self.variables,
        )

    def _unique(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def _root(self, name: str) -> str:
        assert self.schema.query_type is not None
        declared = self.schema.query_type.fields[name]
        below = self._selection(get_named_type(declared.type), 0)
        given = self._arguments(declared)
        return f"{self._unique('r')}: {name}{given}{self._directive()} {below}"

    def _arguments(self, declared: Any) -> str:
        arguments = []
        for argument, spec in declared.args.items():
            if isinstance(spec.type, GraphQLNonNull) or self.draw(st.booleans()):
                drawn = self._argument(argument, spec.type)
                if drawn is not None:
                    arguments.append(f"{argument}: {drawn}")
        return f"({', '.join(arguments)})" if arguments else ""

    def _argument(self, name: str, declared: Any) -> str | None:
        if name in {"after", "before"}:
            return None
        if name in {"limit", "first", "last", "offset"}:
            value: Any = self.draw(st.sampled_from([None, 0, 1, 2, 5]))
            if name == "last" and value is not None:
                value = None
        else:
            value = self._input(declared, 0)
        if self.draw(st.booleans()):
            return self._variable(declared, value)
        return self._literal(declared, value)

    def _variable(self, declared: Any, value: Any) -> str:
        name = self._unique("v")
        self.definitions[name] = f"${name}: {declared}"
        if value is not None or self.draw(st.booleans()) or isinstance(declared, GraphQLNonNull):
            self.variables[name] = value
        return f"${name}"

    # Inputs

    def _input(self, declared: Any, depth: int) -> Any:
        declared = get_nullable_type(declared)
        if isinstance(declared, GraphQLList):
            size = self.draw(st.integers(0, 2))
            return [self._input(declared.of_type, depth + 1) for _ in range(size)]
        if isinstance(declared, GraphQLEnumType):
            return self.draw(st.sampled_from(sorted(declared.values)))
        if not isinstance(declared, GraphQLInputObjectType):
            return self.draw(st.sampled_from(SAMPLES[declared.name]))
        names = [name for name in declared.fields if name not in AVOIDED]
        takes_one = declared.name.endswith(("OrderByInput", "GroupByInput"))
        if depth > 3:
            names = [name for name in names if not _is_deep(declared.fields[name].type)]
        if not names:
            return {}
        chosen = self.draw(
            st.lists(
                st.sampled_from(names),
                min_size=takes_one,
                max_size=1 if takes_one else 2,
                unique=True,
            )
        )
        return {name: self._input(declared.fields[name].type, depth + 1) for name in chosen}

    def _literal(self, declared: Any, value: Any) -> str:
        declared = get_nullable_type(declared)
        if value is None:
            return "null"
        if isinstance(declared, GraphQLList):
            if isinstance(value, list):
                return (
                    "[" + ", ".join(self._literal(declared.of_type, item) for item in value) + "]"
                )
            return self._literal(declared.of_type, value)
        if isinstance(declared, GraphQLEnumType):
            return str(value)
        if isinstance(declared, GraphQLInputObjectType):
            parts = []
            for name, item in value.items():
                of = declared.fields[name].type
                use_variable = self.draw(st.integers(0, 3)) == 0
                parts.append(
                    f"{name}: {self._variable(of, item) if use_variable else self._literal(of, item)}"
                )
            return "{" + ", ".join(parts) + "}"
        return _as_literal(value)

    # Selections

    def _selection(self, declared: Any, depth: int) -> str:
        parts = [self._selected(declared, depth) for _ in range(self.draw(st.integers(1, 4)))]
        return "{ " + " ".join(parts) + " }"

    def _selected(self, declared: Any, depth: int) -> str:
        choice = self.draw(st.integers(0, 9))
        if choice == 0:
            return f"__typename{self._directive()}"
        if choice == 1:
            return f"... {self._directive()} {self._selection(declared, depth)}"
        if choice == 2:
            kind = self._condition(declared)
            return f"... on {kind.name}{self._directive()} {self._selection(kind, depth)}"
        if choice == 3:
            kind = self._condition(declared)
            name = self._unique("F")
            self.fragments[name] = ""
            self.fragments[name] = f"fragment {name} on {kind.name} {self._selection(kind, depth)}"
            return f"...{name}{self._directive()}"
        return self._field(declared, depth)

    def _condition(self, declared: Any) -> Any:
        names = [declared]
        if isinstance(declared, GraphQLInterfaceType):
            names += self.schema.get_possible_types(declared)
        if isinstance(declared, GraphQLObjectType):
            names += declared.interfaces
        return self.draw(st.sampled_from(names))

    def _field(self, declared: Any, depth: int) -> str:
        names = [
            name
            for name, entry in declared.fields.items()
            if depth < MAX_DEPTH or not is_composite_type(get_named_type(entry.type))
            # The planner's guess: of columns another than of documents.
            if name != "estimatedCount"
        ]
        if not names:
            return "__typename"
        name = self.draw(st.sampled_from(names))
        named = get_named_type(declared.fields[name].type)
        alias = (
            f"{name}_{self.draw(st.integers(0, 1))}: " if self.draw(st.integers(0, 3)) == 0 else ""
        )
        below = f" {self._selection(named, depth + 1)}" if is_composite_type(named) else ""
        given = ""
        if "where" in declared.fields[name].args and self.draw(st.booleans()):
            # An alias of its own: other arguments of one response name are a conflict.
            alias, given = f"{self._unique(name)}: ", self._arguments(declared.fields[name])
        return f"{alias}{name}{given}{self._directive()}{below}"

    def _directive(self) -> str:
        choice = self.draw(st.integers(0, 14))
        if choice > 2:
            return ""
        word = self.draw(st.sampled_from(["skip", "include"]))
        value = self.draw(st.booleans())
        if choice == 0:
            return f" @{word}(if: {json.dumps(value)})"
        name = self.draw(st.sampled_from(["s0", "s1"]))
        self.definitions.setdefault(name, f"${name}: Boolean! = true")
        if self.draw(st.booleans()):
            self.variables.setdefault(name, value)
        return f" @{word}(if: ${name})"


def _is_deep(declared: Any) -> bool:
    named = get_named_type(declared)
    if not isinstance(named, GraphQLInputObjectType):
        return False
    return "some" in named.fields or not named.name.endswith("Filter")


def _as_literal(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_as_literal(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_as_literal, value)) + "]"
    return json.dumps(value)
