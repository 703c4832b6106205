"""
Search, distinct rows and estimated counts as SQL.
"""

import re
from collections.abc import Sequence

from psycopg import sql

from fraiseql.engine.plan.plan import Order, Target
from fraiseql.engine.sql.operators import Column
from fraiseql.engine.sql.scope import Rows, literal, no_column


def query(rows: Rows, text: sql.Composable) -> sql.Composable:
    """Return the text query to select from beside ``rows``; ``text``: the placeholder of any text."""
    config = rows.spec.search_config
    chosen = sql.SQL("") if config is None else sql.SQL("{}, ").format(literal(config))
    return sql.SQL("websearch_to_tsquery({}{}) AS {}(query)").format(chosen, text, _alias(rows))


def found(rows: Rows) -> sql.Composable:
    """Return the condition of rows that fit the query, which a GIN index serves."""
    return sql.SQL("{} @@ {}.query").format(_column(rows), _alias(rows))


def rank(rows: Rows) -> Column:
    """Return how well a row fits the query."""
    value = sql.SQL("ts_rank_cd({}, {}.query)").format(_column(rows), _alias(rows))
    return Column(value, "real")


def _column(rows: Rows) -> sql.Composable:
    name = rows.spec.search or ""
    if name not in rows.relation.columns:
        raise no_column(rows.spec, rows.relation, name)
    return rows.column(name)


def _alias(rows: Rows) -> sql.Composable:
    return sql.SQL("{}q").format(sql.SQL(rows.alias))


def first_of_each(
    distinct: Sequence[Target], order: Sequence[Order]
) -> tuple[list[Order], list[Order]]:
    """
    Return the keys that rows of one kind share, and the order in which the first of each comes first.

    The shared keys lead, in the direction they have in ``order``, so that one index may serve both.
    """
    leading = [key for key in order if key.target in distinct]
    known = {key.target for key in leading}
    leading += [Order(target) for target in distinct if target not in known]
    return leading, [*leading, *(key for key in order if key.target not in distinct)]


def estimate(rows: sql.Composable, parameters: int) -> sql.Composable:
    """Return how many rows the planner expects; ``rows``: a FROM clause with so many placeholders."""
    # Quoted by format() in the database, they are the untyped literals that parameters are too.
    text = re.sub("%([%s])", lambda found: "%L" if found[1] == "s" else "%%", rows.as_string(None))
    return sql.SQL("fraiseql_estimate_v1({}, ARRAY[{}]::text[])").format(
        literal("SELECT" + text), sql.SQL(", ").join([sql.Placeholder()] * parameters)
    )
