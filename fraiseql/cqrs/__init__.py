"""The write side: repositories, projections kept in step, work of several steps."""

from fraiseql.cqrs.repositories import CommandRepository, QueryRepository

__all__ = ["CommandRepository", "QueryRepository"]
