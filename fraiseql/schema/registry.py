"""
What has been declared so far.

Decorators write here while ``bindings.py`` modules are imported; ``build.py`` reads it once. Tests put a
registry of their own in place with ``isolated``.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from fraiseql.errors import ConfigurationError
from fraiseql.schema.specs import RootKind


@dataclass(frozen=True)
class ObjectDeclaration:
    """A class under ``@fraiseql.type`` or ``@fraiseql.interface``."""

    python: type
    name: str
    view: str | None
    source: str | None
    jsonb: str | None
    description: str | None
    search: str | None = None
    search_config: str | None = None
    is_interface: bool = False
    discriminator: str | None = None
    discriminator_value: str | None = None


@dataclass(frozen=True)
class NamedDeclaration:
    """A class under ``@fraiseql.enum`` or ``@fraiseql.input``."""

    python: type
    name: str
    description: str | None


@dataclass(frozen=True)
class RootDeclaration:
    """``one``, ``many`` and so on in a ``Query`` class; ``type`` may be a forward reference."""

    kind: RootKind
    type: Any
    name: str | None
    keys: tuple[str, ...]
    default_limit: int | None
    max_limit: int | None
    description: str | None
    deprecation: str | None


@dataclass(frozen=True)
class ResolverDeclaration:
    """A function under ``@fraiseql.query`` or ``@fraiseql.mutation``."""

    function: Callable[..., Any]
    name: str | None
    description: str | None
    deprecation: str | None


@dataclass(frozen=True)
class MutationDeclaration:
    """A class under ``@fraiseql.mutation(function=...)``: its annotations are the input and ``returns``."""

    python: type
    function: str
    name: str | None
    is_batch: bool
    description: str | None
    deprecation: str | None


@dataclass
class Registry:
    """
    Declarations by kind, in the order they were made; ``version`` grows with each.

    ``fault``: why a ``bindings.py`` could not be read to its end; there is no schema then.
    """

    objects: dict[type, ObjectDeclaration] = field(default_factory=dict)
    enums: dict[type, NamedDeclaration] = field(default_factory=dict)
    inputs: dict[type, NamedDeclaration] = field(default_factory=dict)
    roots: dict[str, tuple[str, RootDeclaration]] = field(default_factory=dict)
    resolvers: dict[str, ResolverDeclaration] = field(default_factory=dict)
    mutations: dict[str, MutationDeclaration | ResolverDeclaration] = field(default_factory=dict)
    version: int = 0
    fault: ConfigurationError | None = None

    def add_object(self, declaration: ObjectDeclaration) -> None:
        """Note a type or interface."""
        self._refuse_twin(declaration.python, declaration.name)
        self.objects[declaration.python] = declaration
        self.version += 1

    def add_enum(self, declaration: NamedDeclaration) -> None:
        """Note an enum."""
        self._refuse_twin(declaration.python, declaration.name)
        self.enums[declaration.python] = declaration
        self.version += 1

    def add_input(self, declaration: NamedDeclaration) -> None:
        """Note an input object."""
        self._refuse_twin(declaration.python, declaration.name)
        self.inputs[declaration.python] = declaration
        self.version += 1

    def add_root(self, attribute: str, owner: str, declaration: RootDeclaration) -> None:
        """Note a bound root field. Raises ConfigurationError if the name is taken by another owner."""
        self._refuse_twin_field(attribute, owner)
        self.roots[attribute] = (owner, declaration)
        self.version += 1

    def add_resolver(self, declaration: ResolverDeclaration) -> None:
        """Note a root field answered by Python."""
        function = declaration.function
        name = function.__name__
        self._refuse_twin_field(name, f"{function.__module__}.{function.__qualname__}")
        self.resolvers[name] = declaration
        self.version += 1

    def add_mutation(self, declaration: MutationDeclaration | ResolverDeclaration) -> None:
        """Note a mutation. Raises ConfigurationError if another one has its name."""
        source = _source(declaration)
        name = source.__name__
        other = _path(_source(self.mutations[name])) if name in self.mutations else None
        if other is not None and other != _path(source):
            raise _declared_twice("mutation", name, other, _path(source))
        self.mutations[name] = declaration
        self.version += 1

    def by_name(self) -> Mapping[str, type]:
        """Return every declared class by its Python name, for forward references."""
        return {
            python.__name__: python
            for declarations in (self.objects, self.enums, self.inputs)
            for python in declarations
        }

    def _refuse_twin(self, python: type, name: str) -> None:
        kinds: tuple[dict[type, Any], ...] = (self.objects, self.enums, self.inputs)
        for declarations in kinds:
            for known in list(declarations.values()):
                same_source = (known.python.__module__, known.python.__qualname__) == (
                    python.__module__,
                    python.__qualname__,
                )
                if known.name == name and not same_source:
                    raise ConfigurationError(
                        f"Two classes are called {name!r}: {_path(known.python)} and {_path(python)}.",
                        hint="Give one of them another name: @fraiseql.type(name=...).",
                    )
                if known.name == name:
                    del declarations[known.python]

    def _refuse_twin_field(self, name: str, owner: str) -> None:
        others = [self.roots[name][0]] if name in self.roots else []
        if name in self.resolvers:
            function = self.resolvers[name].function
            others.append(f"{function.__module__}.{function.__qualname__}")
        for other in others:
            if other != owner:
                raise _declared_twice("query", name, other, owner)


def _path(source: Any) -> str:
    return f"{source.__module__}.{source.__qualname__}"


def _source(declaration: MutationDeclaration | ResolverDeclaration) -> Any:
    if isinstance(declaration, MutationDeclaration):
        return declaration.python
    return declaration.function


def _declared_twice(root: str, name: str, first: str, second: str) -> ConfigurationError:
    return ConfigurationError(
        f"The {root} field {name!r} is declared twice: in {first} and in {second}.",
        hint="Give one of them another attribute name.",
    )


_current = Registry()


def current() -> Registry:
    """Return the registry that decorators write to."""
    return _current


@contextmanager
def isolated() -> Iterator[Registry]:
    """Put an empty registry in place for the duration of the block, and return it."""
    global _current  # noqa: PLW0603 - the one place that swaps it
    before, _current = _current, Registry()
    try:
        yield _current
    finally:
        _current = before
