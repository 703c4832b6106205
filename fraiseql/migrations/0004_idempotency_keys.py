"""The keys of requests that must not take effect twice."""

from django.db import migrations

from fraiseql.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = (("fraiseql", "0003_mutation_response"),)
    operations = (
        RunSQLFile("tables/tb_idempotency_key.sql", reverse="DROP TABLE tb_idempotency_key"),
        RunSQLFile(
            "tables/tb_idempotency_key_expires_at_idx.sql",
            reverse="DROP INDEX tb_idempotency_key_expires_at_idx",
        ),
        RunSQLFile("functions/fraiseql_claim_v1.sql", reverse="DROP FUNCTION fraiseql_claim_v1"),
    )
