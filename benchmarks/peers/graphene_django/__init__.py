"""graphene-django, with a data loader for each relation."""
