"""The log of syncs."""

from django.db import migrations

from fraiseql.operations import RunSQLFile


class Migration(migrations.Migration):
    initial = True
    dependencies = ()
    operations = (
        RunSQLFile("tables/tb_sync_log.sql", reverse="DROP TABLE tb_sync_log"),
        RunSQLFile(
            "tables/tb_sync_log_synced_at_idx.sql", reverse="DROP INDEX tb_sync_log_synced_at_idx"
        ),
    )
