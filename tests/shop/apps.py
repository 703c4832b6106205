"""The shop as a Django application."""

from django.apps import AppConfig


class ShopConfig(AppConfig):
    """The shop in ``INSTALLED_APPS``."""

    name = "tests.shop"
    label = "shop"
