"""The blog as a Django application."""

from django.apps import AppConfig


class BlogConfig(AppConfig):
    """An application without models: its schema is SQL, in ``sql/``."""

    name = "blog"
