"""The blog's addresses."""

from django.contrib import admin
from django.urls import include, path

from blog import views

urlpatterns = [
    path("", views.syncs, name="syncs"),
    path("admin/", admin.site.urls),
    path("graphql/", include("fraiseql.urls")),
    path("metrics", include("fraiseql.observability.urls")),
]
