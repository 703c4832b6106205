"""Run by sync.py in a process of its own: fill, update and check a projection; print the times."""

import json
import resource
from collections.abc import Callable
from statistics import median
from time import perf_counter

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - Django must be set up first
from django.db import connection, transaction  # noqa: E402

from fraiseql.cqrs.projection import Projection, pair_of, sync_function  # noqa: E402
from fraiseql.cqrs.sync import synchronize  # noqa: E402
from fraiseql.db import catalog  # noqa: E402

PROJECTION = Projection("tv_post_synced", "v_post")
# What somebody would write who knows that no row has to be deleted and no value moves.
BY_HAND = """
INSERT INTO tv_post_synced AS p (id, identifier, title, created_at, data)
SELECT id, identifier, title, created_at, data FROM v_post
    ON CONFLICT (id) DO UPDATE
   SET identifier = EXCLUDED.identifier, title = EXCLUDED.title, created_at = EXCLUDED.created_at,
       data = EXCLUDED.data, updated_at = DEFAULT
"""
SETUP = """
CREATE TABLE tv_post_synced (LIKE tv_post INCLUDING ALL);
"""
CLEAN = """
DROP TABLE IF EXISTS tv_post_synced CASCADE;
DROP FUNCTION IF EXISTS fn_sync_tv_post_synced(uuid[]), fn_sync_tv_post_synced(uuid);
"""
SPOIL = "UPDATE tv_post_synced SET data = jsonb_set(data, '{title}', '\"old\"')"
ROWS = 200


def execute(text: str) -> None:
    """Run SQL."""
    with connection.cursor() as cursor:
        cursor.execute(text)


def timed(work: Callable[[], object], before: str) -> float:
    """Return the seconds ``work`` takes after ``before``, the best of two."""
    found = []
    for _ in range(2):
        execute(before)
        execute("VACUUM ANALYZE tv_post_synced")
        started = perf_counter()
        work()
        found.append(perf_counter() - started)
    return min(found)


def by_hand() -> None:
    """Write everything in one statement."""
    with transaction.atomic():
        execute(BY_HAND)


def by_fraiseql() -> None:
    """Bring it in step in batches."""
    synchronize(PROJECTION, "default")


def row_ms() -> float:
    """Return the median milliseconds PostgreSQL needs for a changed row."""
    execute(sync_function(pair_of(PROJECTION, "default")))
    execute(SPOIL)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM tv_post_synced ORDER BY identifier LIMIT %s", [ROWS])
        keys = [key for (key,) in cursor.fetchall()]
        found = []
        for key in keys:
            cursor.execute(
                "EXPLAIN (ANALYZE, FORMAT JSON) SELECT fn_sync_tv_post_synced(%s::uuid)", [key]
            )
            (((plan,),),) = cursor.fetchall()
            found.append(plan["Execution Time"])
    return median(found)


def main() -> None:
    """Measure all."""
    call_command("migrate", "fraiseql", verbosity=0)
    execute(CLEAN)
    execute(SETUP)
    catalog.forget("default")
    try:
        times = {
            "fill_by_hand": timed(by_hand, "TRUNCATE tv_post_synced"),
            "fill": timed(by_fraiseql, "TRUNCATE tv_post_synced"),
            "rewrite_by_hand": timed(by_hand, SPOIL),
            "rewrite": timed(by_fraiseql, SPOIL),
            "nothing_by_hand": timed(by_hand, "SELECT"),
            "nothing": timed(by_fraiseql, "SELECT"),
            "row_ms": row_ms(),
        }
    finally:
        execute(CLEAN)
    times["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(times))


main()
