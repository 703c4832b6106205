"""The suite's settings, on the database SITE_DATABASE names (a libpq URI), and its standby SITE_REPLICA."""

import json
import os
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from tests.settings import *  # noqa: F403 - settings are a module's names
from tests.settings import INSTALLED_APPS as SHOP_APPS

INSTALLED_APPS = [*SHOP_APPS, "tests.integration.edges.site"]
ROOT_URLCONF = "tests.integration.edges.urls"
FRAISEQL = {
    "GRAPHENE_SCHEMAS": ["tests.shop.legacy.schema"],
    **json.loads(os.environ.get("SITE_FRAISEQL", "{}")),
}


def _database(uri: str) -> dict[str, Any]:
    place = conninfo_to_dict(uri)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": place["dbname"],
        "USER": place["user"],
        "HOST": place["host"],
        "PORT": place["port"],
    }


DATABASES = {"default": _database(os.environ["SITE_DATABASE"])}
DATABASES["default"]["ATOMIC_REQUESTS"] = "SITE_ATOMIC" in os.environ
if "SITE_REPLICA" in os.environ:
    DATABASES["replica"] = _database(os.environ["SITE_REPLICA"])
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
