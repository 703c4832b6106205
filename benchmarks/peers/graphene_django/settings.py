"""Settings of the graphene-django peer."""

from benchmarks.peers.blog.settings import *  # noqa: F403
from benchmarks.peers.blog.settings import INSTALLED_APPS as SHARED

INSTALLED_APPS = [*SHARED, "graphene_django"]
ROOT_URLCONF = "benchmarks.peers.graphene_django.urls"
