"""What the shop's mutations write, and the functions that do."""

from django.db import migrations

from fraiseql.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = (("shop", "0001_initial"), ("fraiseql", "0004_idempotency_keys"))
    operations = (
        RunSQLFile(
            "stalls.sql",
            reverse="""DROP FUNCTION fn_open_stall, fn_rename_stall, fn_change_stall, fn_close_stall,
                       fn_double_stalls, fn_stall_ids, fn_import_stalls, fn_seal, fn_ring,
                       fn_count_stalls, fn_fail, fn_extend_stall; DROP VIEW v_stall; DROP TABLE tb_stall""",
        ),
    )
