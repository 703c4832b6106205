"""Settings as for production; what the run wants otherwise comes in SOAK_FRAISEQL."""

import json
import os

# Not a secret: the project runs for minutes, on 127.0.0.1, over made-up data, without sessions.
SECRET_KEY = "soak"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "benchmarks.app.urls"
INSTALLED_APPS = ["fraiseql", "benchmarks.soaked"]
USE_TZ = True
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["PGHOST"],
        "PORT": os.environ["PGPORT"],
        "USER": os.environ["PGUSER"],
        "NAME": os.environ["PGDATABASE"],
    }
}
FRAISEQL = {
    "AUTHENTICATION": ["benchmarks.soaked.tenant"],
    **json.loads(os.environ.get("SOAK_FRAISEQL", "{}")),
}
