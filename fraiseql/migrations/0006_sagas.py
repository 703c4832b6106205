"""Sagas."""

from django.db import migrations

from fraiseql.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = (("fraiseql", "0005_estimated_counts"),)
    operations = (RunSQLFile("tables/tb_saga.sql", reverse="DROP TABLE tb_saga"),)
