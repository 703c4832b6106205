"""A blog on views: the example that ``scripts/demo`` serves."""
