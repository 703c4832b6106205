"""The row that functions of mutations may return."""

from django.db import migrations

from fraiseql.operations import RunSQLFile


class Migration(migrations.Migration):
    dependencies = (("fraiseql", "0002_persisted_operations"),)
    operations = (RunSQLFile("types/mutation_response.sql", reverse="DROP TYPE mutation_response"),)
