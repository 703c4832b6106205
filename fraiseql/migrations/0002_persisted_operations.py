"""The store of operations that clients name instead of sending."""

from django.db import migrations

from fraiseql.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = (("fraiseql", "0001_sync_log"),)
    operations = (
        RunSQLFile(
            "tables/tb_persisted_operation.sql", reverse="DROP TABLE tb_persisted_operation"
        ),
        RunSQLFile(
            "tables/tb_persisted_operation_last_used_at_idx.sql",
            reverse="DROP INDEX tb_persisted_operation_last_used_at_idx",
        ),
        RunSQLFile(
            "tables/tb_persisted_operation_id.sql",
            reverse="DROP TABLE tb_persisted_operation_id",
        ),
    )
