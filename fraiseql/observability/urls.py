"""
``path("metrics", include("fraiseql.observability.urls"))`` serves ``/metrics`` to Prometheus.
"""

from django.urls import path

from fraiseql.observability import views

app_name = "fraiseql_observability"

urlpatterns = [path("", views.metrics, name="metrics")]
