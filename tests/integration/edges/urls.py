"""URLs of the edges' tests: the endpoint, and the admin beside it."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("graphql/", include("fraiseql.urls")),
]
