"""
FraiseQL: database-first GraphQL on PostgreSQL, as a Django application framework.

This is what ``bindings.py`` modules write with; everything else is imported from its own module.
"""

from fraiseql.schema import scalars
from fraiseql.schema.build import graphene_type
from fraiseql.schema.declare import (
    Query,
    aggregate,
    connection,
    enum,
    field,
    input,
    interface,
    many,
    mutation,
    one,
    query,
    related,
    type,
)
from fraiseql.schema.scalars import ID
from fraiseql.schema.specs import UNSET

__all__ = [
    "ID",
    "UNSET",
    "Query",
    "aggregate",
    "connection",
    "enum",
    "field",
    "graphene_type",
    "input",
    "interface",
    "many",
    "mutation",
    "one",
    "query",
    "related",
    "scalars",
    "type",
]

__version__ = "0.1.0"
