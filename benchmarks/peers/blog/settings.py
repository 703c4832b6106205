"""What both Django peers have in common: persistent connections, and no middleware in the way."""

import os

# Not a secret: the project runs for minutes, on 127.0.0.1, over made-up data, without sessions.
SECRET_KEY = "benchmark"
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
USE_TZ = True
TIME_ZONE = "UTC"
# contenttypes: without it strawberry-django's optimizer looks for it in vain, at every request.
INSTALLED_APPS = ["django.contrib.contenttypes", "benchmarks.peers.blog"]
MIDDLEWARE: list[str] = []
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.environ["PGHOST"],
        "PORT": os.environ["PGPORT"],
        "USER": os.environ["PGUSER"],
        "NAME": os.environ["PGDATABASE"],
        "CONN_MAX_AGE": None,
        # psycopg prepares a statement at its fifth use; binding in the server lets it.
        "OPTIONS": {"server_side_binding": True},
    }
}
