"""
``path("graphql/", include("fraiseql.urls"))`` serves GraphQL, and GraphiQL to browsers.
"""

from django.urls import path

from fraiseql import views

app_name = "fraiseql"

urlpatterns = [
    path("", views.graphql, name="graphql"),
    path("assets/<str:name>", views.asset, name="asset"),
]
