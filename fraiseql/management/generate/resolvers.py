"""
A resolver in Python, and its test.
"""

from collections.abc import Sequence
from typing import Any

from fraiseql.checks.types import declared_name
from fraiseql.errors import ConfigurationError
from fraiseql.management.generate.rendering import render_python
from fraiseql.management.generate.tables import names_of
from fraiseql.schema.names import camel_case, pascal_case
from fraiseql.schema.scalars import Scalar
from fraiseql.schema.specs import EnumSpec, FieldSpec, ObjectSpec

# GraphQL literals that are legal where these are annotated; everywhere else a text is.
_LITERALS = {
    **dict.fromkeys(("int", "float", "Decimal", "scalars.BigInt", "scalars.Port"), "1"),
    "bool": "true",
    "UUID": '"00000000-0000-0000-0000-000000000000"',
    "date": '"2024-01-31"',
    "datetime": '"2024-01-31T12:00:00Z"',
    "time": '"12:30:00"',
    "scalars.Email": '"ada@example.org"',
    "scalars.URL": '"https://example.org/"',
}


def resolver(
    name: str, fields: Sequence[str], spec: ObjectSpec, *, is_list: bool, is_mutation: bool
) -> tuple[str, str]:
    """
    Return a Python function and its test.

    A query finds objects by ``fields`` of their type, a mutation has the function that updates one change these.
    Raises ConfigurationError for what is no field.
    """
    found = [_field(spec, field) for field in fields]
    if not is_list and not is_mutation and not found:
        raise ConfigurationError(
            "What is the object found by?", hint="Name a field, or use --list."
        )
    values: dict[str, Any] = {
        "name": name,
        "arguments": [
            {
                "name": one.python_name,
                "annotation": declared_name(one),
                "is_enum": isinstance(one.type.named, EnumSpec),
            }
            for one in found
        ],
        "type": spec.python.__name__,
        "is_list": is_list,
        "returned": f"list[{spec.python.__name__}]"
        if is_list
        else f"{spec.python.__name__} | None",
        "described": f"{'what there is' if is_list else 'one'} of {spec.name}",
    }
    if is_mutation:
        names = names_of(spec)
        values |= {"label": names.one, "function": f"{names.prefix}fn_update_{names.stem}"}
    text = render_python("mutation" if is_mutation else "query", values)
    return text, _test(name, found, spec, is_list=is_list, is_mutation=is_mutation)


def _field(spec: ObjectSpec, name: str) -> FieldSpec:
    entry = spec.by_python_name(name)
    if entry is None or not entry.is_stored or not isinstance(entry.type.named, Scalar | EnumSpec):
        known = [
            one.python_name
            for one in spec.fields.values()
            if one.is_stored and isinstance(one.type.named, Scalar | EnumSpec)
        ]
        raise ConfigurationError(
            f"{spec.name} has no single value {name!r}.", hint=f"It has {', '.join(known)}."
        )
    return entry


def _test(
    name: str, fields: Sequence[FieldSpec], spec: ObjectSpec, *, is_list: bool, is_mutation: bool
) -> str:
    given = [f"{camel_case(one.python_name)}: {_literal(one)}" for one in fields]
    if is_mutation:
        given.insert(0, f"id: {_LITERALS['UUID']}")
    field = camel_case(name)
    shown = f"{field}({', '.join(given)})" if given else field
    selected = next(
        one.name for one in spec.fields.values() if isinstance(one.type.named, Scalar | EnumSpec)
    )
    query = f"{'mutation ' if is_mutation else ''}{{ {shown} {{ {selected} }} }}"
    values = {
        "class": f"{pascal_case(name)}Tests",
        "field": field,
        "query": repr(query) if '"' in query else f'"{query}"',
        "is_list": is_list,
        "is_mutation": is_mutation,
    }
    return render_python("test", values)


def _literal(entry: FieldSpec) -> str:
    named = entry.type.named
    if isinstance(named, EnumSpec):
        return next(iter(named.python)).name
    return _LITERALS.get(declared_name(entry), '"x"')
