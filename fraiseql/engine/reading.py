"""
Bound root fields to their rows: plan, statement, fetch, and what to do when one of them fails.

These generators yield what must be waited for; ``pipeline.py`` waits.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from fraiseql.conf import Settings
from fraiseql.db import catalog
from fraiseql.db.rows import Rows
from fraiseql.db.statement import Statement
from fraiseql.engine.document.variables import Variables
from fraiseql.engine.operation import Made, Prepared
from fraiseql.engine.plan.plan import Plan
from fraiseql.engine.plan.planner import plan
from fraiseql.engine.plan.selection import RootSelection
from fraiseql.engine.result.connection import ConnectionRows, KeyedRow, connection_document
from fraiseql.engine.sql.compile import compile_plan
from fraiseql.engine.sql.template import Template
from fraiseql.errors import BadUserInput, FraiseQLError, ServiceUnavailable, StaleCatalog
from fraiseql.schema.specs import RootKind

# The same for every field of the statement, so that asking again for each would help none.
_COMMON_FAULTS = frozenset({"TIMEOUT"})

Documents = Sequence[bytes | None]


@dataclass(frozen=True)
class Relations:
    """Asks for the catalog's entries of these views."""

    names: tuple[str, ...]


class Found(NamedTuple):
    """Each field's documents by response key (of a connection: its one), and the fields that failed."""

    documents: Mapping[str, Documents]
    refused: Mapping[str, FraiseQLError]


Reading = Generator[Relations | Statement, Any, Found]


def read(prepared: Prepared, variables: Variables, settings: Settings) -> Reading:
    """Yield what the bound fields of an operation need, and return what they found: one statement."""
    selections = prepared.outline.selections
    if not selections:
        return Found({}, {})
    try:
        return (yield from _fetch(prepared, selections, variables, settings))
    except StaleCatalog:
        # A view was replaced under the running server: look again, once.
        catalog.forget(settings.DATABASE)
        prepared.forget()
    except FraiseQLError as error:
        return (yield from _read_apart(prepared, variables, settings, error))
    try:
        return (yield from _fetch(prepared, selections, variables, settings))
    except FraiseQLError as error:
        return (yield from _read_apart(prepared, variables, settings, error))


def _read_apart(
    prepared: Prepared, variables: Variables, settings: Settings, error: FraiseQLError
) -> Reading:
    """Read each field by itself after their common statement failed, so that one spoils only itself."""
    if isinstance(error, ServiceUnavailable):
        raise error  # Of the whole request: nothing was read, and clients are told when to come back.
    selections = prepared.outline.selections
    if len(selections) == 1 or error.code in _COMMON_FAULTS:
        return Found({}, {item.response_key: error for item in selections})
    documents: dict[str, Documents] = {}
    failed: dict[str, FraiseQLError] = {}
    for item in selections:
        try:
            alone = yield from _fetch(prepared, (item,), variables, settings)
        except FraiseQLError as own:
            failed[item.response_key] = own
        else:
            documents |= alone.documents
            failed |= alone.refused
    return Found(documents, failed)


def _fetch(
    prepared: Prepared,
    selections: tuple[RootSelection, ...],
    variables: Variables,
    settings: Settings,
) -> Reading:
    is_whole = selections is prepared.outline.selections
    known = prepared.find(variables) if is_whole else None
    refused: Mapping[str, FraiseQLError] = {}
    if known is None:
        planned = plan(selections, variables, settings)
        refused = planned.refused
        if not planned.plan.reads:
            return Found({}, refused)
        relations = yield Relations(planned.plan.views)
        known = Made(compile_plan(planned.plan, relations), planned.plan)
        if is_whole:
            prepared.keep(variables, known)
    try:
        statement = known.template.fill(variables)
    except BadUserInput as error:
        # A value that only its encoder refuses: the other fields are read without it.
        wrong = str(error.extensions["response_key"])
        rest = tuple(item for item in selections if item.response_key != wrong)
        others = (yield from _fetch(prepared, rest, variables, settings)) if rest else Found({}, {})
        return Found(others.documents, {**refused, **others.refused, wrong: error})
    rows: Rows = yield statement
    return Found(by_field(known.template, known.plan, rows), refused)


def by_field(template: Template, made: Plan, rows: Rows) -> dict[str, Documents]:
    """Return each read's documents, by response key; of a connection, its one."""
    if template.is_tagged:
        return _tagged(made, rows)
    (read,) = made.reads
    documents = rows.column(0)
    if read.kind is not RootKind.CONNECTION:
        return {read.response_key: documents}
    keyed = [(None, document) for document in documents]
    return {read.response_key: [connection_document(read, ConnectionRows(keyed, None))]}


def _tagged(made: Plan, rows: Rows) -> dict[str, Documents]:
    """Return the documents of several reads, told apart by their rows' first column."""
    found: list[list[KeyedRow]] = [[] for _ in made.reads]
    totals: dict[int, bytes | None] = {}
    estimates: dict[int, bytes | None] = {}
    for number, keys, document in zip(rows.column(0), rows.column(1), rows.column(2), strict=True):
        index = int(number or b"0")
        if index < 0:
            (totals if keys is None else estimates)[-1 - index] = document
        else:
            found[index].append((keys, document))
    documents: dict[str, Documents] = {}
    for index, read in enumerate(made.reads):
        if read.kind is RootKind.CONNECTION:
            connection = ConnectionRows(found[index], totals.get(index), estimates.get(index))
            documents[read.response_key] = [connection_document(read, connection)]
        else:
            documents[read.response_key] = [document for _, document in found[index]]
    return documents
