"""
Checks of bound mutations against the functions that the database has.
"""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Any

from django.core.checks import CheckMessage
from django.db import DatabaseError

from fraiseql.checks import table
from fraiseql.checks.database import looked_at, statement
from fraiseql.checks.types import annotation, column_type, takes
from fraiseql.db import catalog, inspection
from fraiseql.db.catalog import Argument, Function
from fraiseql.engine.sql.calls import JSONS, Bound, NotBound, bind
from fraiseql.errors import FraiseQLError
from fraiseql.schema.inputs import scalar_of
from fraiseql.schema.registry import path_of
from fraiseql.schema.specs import ArgumentSpec, EnumSpec, InputSpec, MutationSpec

_FAULTS = {
    "ambiguous": table.AMBIGUOUS_FUNCTION,
    "arguments": table.FUNCTION_ARGUMENTS,
    "returns": table.FUNCTION_RETURNS,
}


def check_functions(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Return what is wrong between the bound mutations and the database they write to."""
    found = looked_at(databases)
    if found is None or not found[1].mutations:
        return []
    using, mutations = found[0].DATABASE, found[1].mutations.values()
    try:
        catalog.forget(using)
        functions = catalog.functions(dict.fromkeys(spec.function for spec in mutations), using)
        return [
            message
            for spec in mutations
            for message in _check(spec, functions.get(spec.function, ()), using)
        ]
    except (FraiseQLError, DatabaseError):
        return []  # Reported by check_views.


def _check(spec: MutationSpec, functions: Sequence[Function], using: str) -> Iterator[CheckMessage]:
    if not functions:
        near = _nearest(spec.function, using)
        hint = f"Did you mean {near!r}? If not, run manage.py migrate." if near else None
        yield table.NO_FUNCTION(_of(spec), mutation=spec.name, function=spec.function, hint=hint)
        return
    try:
        bound = bind(spec, functions)
    except NotBound as fault:
        yield _FAULTS[fault.reason](_of(spec), fault=fault.message, hint=fault.hint)
        return
    yield from _rights(spec, bound.function)
    yield from _types(spec, bound)


def _rights(spec: MutationSpec, function: Function) -> Iterator[CheckMessage]:
    shown = f"{function.schema}.{function.name}({function.signature})"
    if function.is_definer and not function.has_search_path:
        yield table.DEFINER_PATH(_of(spec), function=shown, schema=function.schema)
    if function.is_definer and function.is_public:
        yield table.DEFINER_PUBLIC(_of(spec), function=shown)
    if not function.is_volatile:
        yield table.NOT_VOLATILE(_of(spec), function=shown)


def _types(spec: MutationSpec, bound: Bound) -> Iterator[CheckMessage]:
    fields = {} if spec.input is None else spec.input.fields
    for name, argument in bound.arguments.items():
        entry = fields[name]
        declared = _misfit(entry, argument)
        if declared is not None:
            yield table.ARGUMENT_TYPE(
                _of(spec),
                argument=argument.name,
                function=spec.function,
                type=argument.type,
                field=entry.python_name,
                declared=declared,
            )


def _misfit(entry: ArgumentSpec, argument: Argument) -> str | None:
    """Return how the field is declared if the argument does not take it, else None."""
    ref, is_list = entry.type, False
    while ref.item is not None:
        ref, is_list = ref.item, True
    if argument.base in JSONS or isinstance(ref.named, InputSpec):
        return None
    labels = None if argument.labels is None else list(argument.labels)
    column = column_type(argument.type, argument.base.removesuffix("[]"), labels)
    scalar, name = scalar_of(ref.named), ""
    fits = takes(scalar, column)
    if isinstance(ref.named, EnumSpec):
        name = ref.named.python.__name__
        values = {str(member.value) for member in ref.named.python}
        fits = fits and (labels is None or values <= set(labels))
    if fits:
        return None
    name = name or annotation(scalar.name)
    return f"list[{name}]" if is_list else name


def _nearest(name: str, using: str) -> str | None:
    with inspection.reading(using) as cursor:
        cursor.execute(statement("function_names"))
        known = [known for (known,) in cursor.fetchall()]
    return next(iter(get_close_matches(name, known, 1)), None)


def _of(spec: MutationSpec) -> str:
    if spec.input is None:
        return spec.name
    return path_of(spec.input.python)
