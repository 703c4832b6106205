"""
The Django application: adds its collectors to those of the process.
"""

from django.apps import AppConfig
from prometheus_client import REGISTRY

from fraiseql.observability.collectors import EngineCollector, SyncCollector


class ObservabilityConfig(AppConfig):
    """FraiseQL's metrics in ``INSTALLED_APPS``."""

    name = "fraiseql.observability"
    label = "fraiseql_observability"
    verbose_name = "FraiseQL observability"

    def ready(self) -> None:
        """Register the collectors."""
        REGISTRY.register(SyncCollector())
        REGISTRY.register(EngineCollector())
