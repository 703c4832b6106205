"""A site of its own for real servers: the shop, and what a server is tried with."""
