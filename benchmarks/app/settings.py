"""Settings as for production, as far as there is anything to set."""

import os

# Not a secret: the project runs for minutes, on 127.0.0.1, over made-up data, without sessions.
SECRET_KEY = "benchmark"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "benchmarks.app.urls"
INSTALLED_APPS = ["fraiseql", "benchmarks.app", *os.environ.get("BENCHMARK_APPS", "").split()]
USE_TZ = True
TIME_ZONE = "UTC"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["PGHOST"],
        "PORT": os.environ["PGPORT"],
        "USER": os.environ["PGUSER"],
        "NAME": os.environ["PGDATABASE"],
    }
}
# As many as the floor has; the default of 10 measures alike.
FRAISEQL = {
    "POOL_MIN_SIZE": 16,
    "POOL_MAX_SIZE": 16,
    "AUTHENTICATION": ["benchmarks.app.authentication.viewer"]
    if "BENCHMARK_VIEWERS" in os.environ
    else [],
}
