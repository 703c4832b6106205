"""URLs of the test suite's site."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("metrics", include("fraiseql.observability.urls")),
]
