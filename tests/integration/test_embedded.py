"""A private server starts, is joined, survives and explains itself."""

import psycopg
import pytest
from django.db import connection

from fraiseql.db.embedded import EmbeddedServer


def test_each_version_serves_an_empty_database(server: EmbeddedServer, server_uri: str) -> None:
    with psycopg.connect(server_uri) as client:
        tables = client.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        major = client.info.server_version // 10000

        assert tables.fetchone() == (0,)
        assert major == server.status().major


@pytest.mark.django_db
def test_django_works_on_its_server(django_server: EmbeddedServer) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('data_directory')")

        assert cursor.fetchone() == (f"{django_server.directory}/data",)
