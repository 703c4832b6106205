"""The page for people: whether the projections are in step, and what syncing them took."""

from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from fraiseql.cqrs import sync
from fraiseql.observability.syncs import syncs_of_a_day, total

LATEST = """
SELECT entity, mode, rows, duration_ms, success, error, synced_at
  FROM tb_sync_log
 ORDER BY pk_sync_log DESC
 LIMIT 10
"""


@never_cache
@require_safe
def syncs(request: HttpRequest) -> HttpResponse:
    """
    Return the page.

    It compares every row of every projection: show it to operators alone where there are many.
    """
    each = syncs_of_a_day()
    with connections["default"].cursor() as cursor:
        cursor.execute(LATEST)
        names = [column.name for column in cursor.description]
        latest = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    context = {
        "drifts": [sync.drift(projection, "default") for projection in sync.projections()],
        "each": each,
        "total": total(each),
        "latest": latest,
    }
    return render(request, "blog/syncs.html", context)
