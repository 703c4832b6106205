"""strawberry-graphql-django, with its query optimizer."""
