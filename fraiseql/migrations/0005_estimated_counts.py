"""The function behind ``estimatedCount``."""

from django.db import migrations

from fraiseql.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = (("fraiseql", "0004_idempotency_keys"),)
    operations = (
        RunSQLFile(
            "functions/fraiseql_estimate_v1.sql",
            reverse="DROP FUNCTION fraiseql_estimate_v1(text, text[])",
        ),
    )
