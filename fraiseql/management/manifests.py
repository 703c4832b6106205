"""
Operations in files, as they are registered: ``.graphql`` files and the manifests that clients' tools write.

A manifest is Apollo's (``apollo-persisted-query-manifest``, version 1) or Relay's (an object of ids and texts).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graphql import (
    DefinitionNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    Source,
    Visitor,
    parse,
    visit,
)

from fraiseql.engine.document.persisted import hash_of
from fraiseql.engine.document.request import normal_id
from fraiseql.errors import BadRequest

APOLLO = "apollo-persisted-query-manifest"
SUFFIXES = (".graphql", ".gql")


@dataclass(frozen=True)
class Place:
    """Where something stands."""

    file: Path
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Fault:
    """What is wrong, and where."""

    place: Place
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


@dataclass
class Found:
    """
    An operation in a file. ``ids``: what else it is called.

    ``origins``: where the text's lines come from, by the number of the first of each part.
    """

    name: str | None
    text: str
    place: Place
    ids: set[str] = field(default_factory=set)
    origins: Mapping[int, Place] = field(default_factory=dict)

    @property
    def hash(self) -> str:
        """Return the text's hash."""
        return hash_of(self.text)

    def place_of(self, line: int) -> Place:
        """Return where the text's line ``line`` stands."""
        first = max((start for start in self.origins if start <= line), default=None)
        if first is None:
            return self.place  # A manifest has each text on one line.
        origin = self.origins[first]
        return Place(origin.file, origin.line + line - first)


def read(paths: Iterable[Path]) -> tuple[list[Found], list[Fault]]:
    """Return the operations in files and folders, one of each text, and what cannot be read."""
    reading = _Reading()
    for path in paths:
        if path.is_dir():
            inside = sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES)
            if not inside:
                reading.fail(path, 1, f"no {' or '.join(SUFFIXES)} file is in this folder.")
            for file in inside:
                reading.graphql(file)
        elif path.suffix in SUFFIXES:
            reading.graphql(path)
        else:
            reading.manifest(path)
    reading.compose()
    return list(reading.found.values()), reading.faults


class _Reading:
    def __init__(self) -> None:
        self.found: dict[str, Found] = {}
        self.faults: list[Fault] = []
        self._operations: list[tuple[Path, OperationDefinitionNode]] = []
        self._named: dict[str, Place] = {}
        self._fragments: dict[str, tuple[Path, FragmentDefinitionNode]] = {}
        self._files: set[Path] = set()

    def fail(self, file: Path, line: int, message: str) -> None:
        self.faults.append(Fault(Place(file, line), message))

    def graphql(self, file: Path) -> None:
        """Take note of what a file defines; fragments may stand in another one."""
        if file.resolve() in self._files:
            return
        self._files.add(file.resolve())
        text = self._text(file)
        if text is None:
            return
        try:
            document = parse(Source(text, str(file)))
        except GraphQLSyntaxError as error:
            self.fail(file, error.locations[0].line if error.locations else 1, error.message)
            return
        for node in document.definitions:
            if isinstance(node, OperationDefinitionNode):
                self._operation(file, node)
            elif isinstance(node, FragmentDefinitionNode):
                name = node.name.value
                if name in self._fragments:
                    other = _place(*self._fragments[name])
                    self.fail(file, _line(node), f"fragment {name} is in {other} already.")
                self._fragments.setdefault(name, (file, node))
            else:
                self.fail(file, _line(node), "only operations and fragments can be registered.")

    def _operation(self, file: Path, node: OperationDefinitionNode) -> None:
        name, place = node.name.value if node.name else None, _place(file, node)
        if name is not None and self._named.setdefault(name, place) is not place:
            self.fail(file, place.line, f"operation {name} is in {self._named[name]} already.")
        self._operations.append((file, node))

    def compose(self) -> None:
        """Make a text of each operation: itself and the fragments it uses, as they stand in their files."""
        for file, node in self._operations:
            parts = [(file, node), *(self._fragments[name] for name in self._used(node))]
            origins, texts, line = {}, [], 1
            for part_file, part in parts:
                text = _source(part)
                origins[line] = _place(part_file, part)
                texts.append(text)
                line += text.count("\n") + 2
            name = node.name.value if node.name else None
            self._add(Found(name, "\n\n".join(texts), _place(file, node), origins=origins))

    def _used(self, node: DefinitionNode) -> list[str]:
        """Return the fragments that a definition uses, itself or through others; unknown ones are left out."""
        names: dict[str, None] = {}
        waiting = [node]
        while waiting:
            for name in _spreads(waiting.pop(0)):
                if name in self._fragments and name not in names:
                    names[name] = None
                    waiting.append(self._fragments[name][1])
        return list(names)

    def manifest(self, file: Path) -> None:
        text = self._text(file)
        if text is None:
            return
        try:
            content = json.loads(text)
        except ValueError as error:
            self.fail(file, getattr(error, "lineno", 1), "neither GraphQL nor a manifest in JSON.")
            return
        try:
            entries = list(_entries(content))
        except ValueError as error:
            self.fail(file, 1, str(error))
            return
        ids: dict[str, str] = {}
        for document_id, name, body in entries:
            place = Place(file, _line_of(document_id, text))
            if ids.setdefault(document_id, body) != body:
                self.fail(file, place.line, f"{document_id!r} stands for two texts.")
            try:
                document_id = normal_id(document_id)
            except BadRequest as error:
                self.fail(file, place.line, error.message)
            self._add(Found(name, body, place, {document_id} - {hash_of(body)}))

    def _add(self, found: Found) -> None:
        self.found.setdefault(found.hash, found).ids.update(found.ids)

    def _text(self, file: Path) -> str | None:
        try:
            return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            self.fail(file, 1, f"cannot be read: {reason}.")
            return None


def _entries(content: Any) -> Iterator[tuple[str, str | None, str]]:
    """Return id, name and text of each operation in a manifest. Raises ValueError if it is none."""
    if not isinstance(content, dict):
        raise ValueError("a manifest is a JSON object.")
    if "format" not in content:
        for document_id, body in content.items():
            if not isinstance(body, str):
                raise ValueError(
                    f"{document_id!r} is no text: Relay's manifests are ids and texts."
                )
            yield document_id, None, body
        return
    if content["format"] != APOLLO or content.get("version") != 1:
        raise ValueError(f"a manifest with a format is {APOLLO}, version 1.")
    operations = content.get("operations")
    if not isinstance(operations, list):
        raise ValueError("'operations' must be a list.")
    for entry in operations:
        known = entry if isinstance(entry, dict) else {}
        document_id, body, name = known.get("id"), known.get("body"), known.get("name")
        if not isinstance(document_id, str) or not isinstance(body, str):
            raise ValueError("each operation must have an 'id' and a 'body'.")
        yield document_id, name if isinstance(name, str) else None, body


class _Spreads(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
        self.names.append(node.name.value)


def _spreads(node: DefinitionNode) -> list[str]:
    visitor = _Spreads()
    visit(node, visitor)
    return visitor.names


def _source(node: DefinitionNode) -> str:
    assert node.loc is not None  # noqa: S101 - parsed from a source
    return node.loc.source.body[node.loc.start : node.loc.end]


def _line(node: DefinitionNode) -> int:
    return node.loc.start_token.line if node.loc else 1


def _place(file: Path, node: DefinitionNode) -> Place:
    return Place(file, _line(node))


def _line_of(document_id: str, text: str) -> int:
    return text.count("\n", 0, max(0, text.find(json.dumps(document_id)))) + 1
