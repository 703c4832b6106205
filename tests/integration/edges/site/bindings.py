"""What a server is tried with: views that are slow, that change, that tell where, that are missing."""

from typing import Any

import fraiseql


@fraiseql.type(view="v_nap")
class Nap:
    """A row that takes its time: as many seconds as its id says."""

    id: int
    note: str


@fraiseql.type(view="v_gauge")
class Gauge:
    """A view whose columns change under the server."""

    id: int
    reading: int | None


@fraiseql.type(view="v_nowhere")
class Nowhere:
    """A view that nobody has made."""

    id: int


@fraiseql.type(view="v_origin")
class Origin:
    """Which server answers."""

    id: int
    is_standby: bool


class Query(fraiseql.Query):
    """What only this site has."""

    origin = fraiseql.one(Origin)
    naps = fraiseql.many(Nap)
    gauges = fraiseql.many(Gauge)
    nowhere = fraiseql.many(Nowhere)


@fraiseql.query
def failing_now(info: Any) -> int:
    """Fail."""
    raise ValueError("canary-4711")
