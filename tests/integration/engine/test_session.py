"""PostgreSQL sees who asks, on both ways and in resolvers."""

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection

import fraiseql
from fraiseql.engine.document.request import GraphQLRequest
from fraiseql.engine.pipeline import execute, execute_async
from fraiseql.engine.viewer import ANONYMOUS, Viewer
from fraiseql.testing import isolated

pytestmark = pytest.mark.django_db

SHOWN = "{ whoami { userId tenant } }"
RESOLVED = "{ resolved { userId tenant } awaited { userId tenant } }"


@pytest.fixture(autouse=True)
def declared() -> Any:
    with connection.cursor() as cursor:
        cursor.execute(
            """CREATE VIEW v_whoami AS SELECT 1 AS id, jsonb_build_object(
                'user_id', current_setting('app.user_id', true),
                'tenant', current_setting('app.tenant_id', true)) AS data"""
        )
    with isolated():

        @fraiseql.type(view="v_whoami")
        class Whoami:
            user_id: str | None
            tenant: str | None

        class Query(fraiseql.Query):
            whoami = fraiseql.many(Whoami)

        @fraiseql.query
        def resolved(info: Any) -> Whoami:
            found: Whoami = info.context.db.find_one(Whoami)
            return found

        @fraiseql.query
        async def awaited(info: Any) -> Whoami:
            found: Whoami = await info.context.db.find_one(Whoami)
            return found

        yield


@pytest.mark.parametrize("run", [execute, async_to_sync(execute_async)])
def test_who_asks_is_in_force_for_each_read(run: Any) -> None:
    ada = Viewer(user_id="ada", session=(("app.tenant_id", "T"),))

    for viewer, user, tenant in ((ada, "ada", "T"), (ANONYMOUS, "", "")):
        shown = b'{"userId":"%s","tenant":"%s"}' % (user.encode(), tenant.encode())
        for query, count in ((SHOWN, 1), (RESOLVED, 2)):
            body = run(GraphQLRequest(query), viewer=viewer).body
            assert body.count(shown) == count, body
