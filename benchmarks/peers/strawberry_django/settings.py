"""Settings of the strawberry-graphql-django peer."""

from benchmarks.peers.blog.settings import *  # noqa: F403
from benchmarks.peers.blog.settings import INSTALLED_APPS as SHARED

INSTALLED_APPS = [*SHARED, "strawberry_django"]
ROOT_URLCONF = "benchmarks.peers.strawberry_django.urls"
