"""
System checks: what is wrong with settings and declarations, seen before the first request.

``manage.py check`` looks at declarations, ``check --database default`` at the catalog and a sample of rows
too, ``check --deploy`` at what matters in production. ``table.py`` lists them all.
"""

from django.core.checks import Tags, register

from fraiseql.checks.bindings import check_bindings
from fraiseql.checks.database import check_views
from fraiseql.checks.functions import check_functions
from fraiseql.checks.operations import check_operations
from fraiseql.checks.production import check_role, check_settings
from fraiseql.checks.table import CHECKS, Check

__all__ = [
    "CHECKS", "TAG", "Check", "check_functions", "check_operations", "check_views", "register_all",
]  # fmt: skip

TAG = "fraiseql"


def register_all() -> None:
    """Hand the checks to Django."""
    register(check_bindings, TAG)
    register(check_views, TAG, Tags.database)
    register(check_functions, TAG, Tags.database)
    register(check_operations, TAG, Tags.database)
    register(check_settings, TAG, Tags.security, deploy=True)
    register(check_role, TAG, Tags.security, Tags.database, deploy=True)
