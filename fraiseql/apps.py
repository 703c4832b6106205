"""
The Django application: finds the ``bindings.py`` of every installed app.
"""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class FraiseQLConfig(AppConfig):
    """FraiseQL in ``INSTALLED_APPS``."""

    name = "fraiseql"
    verbose_name = "FraiseQL"

    def ready(self) -> None:
        """Import every ``bindings.py``, as the admin does with ``admin.py``."""
        autodiscover_modules("bindings")
