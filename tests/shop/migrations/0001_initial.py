"""The shop's tables, views and fixed data, and the table of its one model."""

from django.db import migrations, models

from fraiseql.operations import RunSQLFile


class Migration(migrations.Migration):
    initial = True
    dependencies = ()
    operations = (
        migrations.CreateModel(
            "Note",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("text", models.TextField()),
                ("written_at", models.DateTimeField(null=True)),
            ],
            options={"ordering": ("id",)},
        ),
        RunSQLFile("tables.sql", reverse="DROP TABLE tb_ware, tb_maker, tb_category, tb_courier"),
        RunSQLFile("data.sql", reverse="SELECT"),
        RunSQLFile(
            "views.sql",
            reverse="""DROP SCHEMA archive CASCADE; DROP MATERIALIZED VIEW mv_turnover;
                       DROP VIEW v_flawed, v_stock_level, v_category, v_book;
                       DROP TABLE tv_ware; DROP VIEW v_maker, v_ware""",
        ),
        RunSQLFile(
            "related.sql", reverse="DROP VIEW v_jotting; DROP TABLE tb_jotting, tv_opus, tv_scribe"
        ),
    )
