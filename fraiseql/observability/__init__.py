"""
What operators watch, for Prometheus, as an application of its own.

``"fraiseql.observability"`` in ``INSTALLED_APPS`` registers the collectors with ``prometheus_client``, and
``path("metrics", include("fraiseql.observability.urls"))`` serves them beside whatever else the project counts.
"""
