"""
The Django application: finds the ``bindings.py`` and ``sagas.py`` of every installed app.
"""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules

from fraiseql import checks
from fraiseql.errors import ConfigurationError
from fraiseql.schema import registry


class FraiseQLConfig(AppConfig):
    """FraiseQL in ``INSTALLED_APPS``."""

    name = "fraiseql"
    verbose_name = "FraiseQL"

    def ready(self) -> None:
        """Import every ``bindings.py`` and ``sagas.py``, as the admin does ``admin.py``; register the checks."""
        checks.register_all()
        try:
            autodiscover_modules("bindings", "sagas")
        except ConfigurationError as fault:
            # Told by the system checks and by whoever asks for the schema, not by a traceback here.
            registry.current().fault = fault
