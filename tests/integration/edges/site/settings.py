"""The suite's settings, on the database SITE_DATABASE names (a libpq URI)."""

import json
import os

from psycopg.conninfo import conninfo_to_dict

from tests.settings import *  # noqa: F403 - settings are a module's names
from tests.settings import INSTALLED_APPS as SHOP_APPS

INSTALLED_APPS = [*SHOP_APPS, "tests.integration.edges.site"]
ROOT_URLCONF = "tests.integration.edges.urls"
FRAISEQL = {
    "GRAPHENE_SCHEMAS": ["tests.shop.legacy.schema"],
    **json.loads(os.environ.get("SITE_FRAISEQL", "{}")),
}
_PLACE = conninfo_to_dict(os.environ["SITE_DATABASE"])
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _PLACE["dbname"],
        "USER": _PLACE["user"],
        "HOST": _PLACE["host"],
        "PORT": _PLACE["port"],
    }
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
