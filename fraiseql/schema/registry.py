"""
What has been declared so far.

Decorators write here while ``bindings.py`` modules are imported; ``build.py`` reads it once. Tests put a
registry of their own in place with ``isolated``.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fraiseql.errors import ConfigurationError
from fraiseql.schema.specs import ObjectSpec, RootKind


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
    keys: tuple[str, ...] = ()
    default_limit: int | None = None
    max_limit: int | None = None
    name: str | None = None
    description: str | None = None
    deprecation: str | None = None


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


Declared = TypeVar("Declared", ObjectSpec, NamedDeclaration)


@dataclass
class Registry:
    """
    Declarations by kind, in the order they were made; ``version`` grows with each. ``objects`` have no fields yet.

    ``fault``: why a ``bindings.py`` could not be read to its end; there is no schema then.
    """

    objects: dict[type, ObjectSpec] = field(default_factory=dict)
    enums: dict[type, NamedDeclaration] = field(default_factory=dict)
    inputs: dict[type, NamedDeclaration] = field(default_factory=dict)
    roots: dict[str, tuple[str, RootDeclaration]] = field(default_factory=dict)
    resolvers: dict[str, ResolverDeclaration] = field(default_factory=dict)
    mutations: dict[str, MutationDeclaration | ResolverDeclaration] = field(default_factory=dict)
    version: int = 0
    fault: ConfigurationError | None = None

    def add_class(self, kind: dict[type, Declared], declared: Declared) -> None:
        """Note a class in ``objects``, ``enums`` or ``inputs``."""
        self._refuse_twin(declared.python, declared.name)
        kind[declared.python] = declared
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
        self._refuse_twin_field(name, path_of(function))
        self.resolvers[name] = declaration
        self.version += 1

    def add_mutation(self, declaration: MutationDeclaration | ResolverDeclaration) -> None:
        """Note a mutation. Raises ConfigurationError if another one has its name."""
        source = _source(declaration)
        name = source.__name__
        other = path_of(_source(self.mutations[name])) if name in self.mutations else None
        if other is not None and other != path_of(source):
            raise _declared_twice("mutation", name, other, path_of(source))
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
                if known.name == name and path_of(known.python) != path_of(python):
                    raise ConfigurationError(
                        f"Two classes are called {name!r}: {path_of(known.python)} and {path_of(python)}.",
                        hint="Give one of them another name: @fraiseql.type(name=...).",
                    )
                if known.name == name:
                    del declarations[known.python]

    def _refuse_twin_field(self, name: str, owner: str) -> None:
        others = [self.roots[name][0]] if name in self.roots else []
        if name in self.resolvers:
            others.append(path_of(self.resolvers[name].function))
        for other in others:
            if other != owner:
                raise _declared_twice("query", name, other, owner)


def path_of(source: Any) -> str:
    """Return where a class or function is declared."""
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
