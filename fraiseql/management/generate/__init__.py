"""
SQL and bindings made from GraphQL types: what ``manage.py fraiseql_generate`` writes.

``tables.py`` reads types as tables, ``links.py`` says which rows hold which, ``ddl.py``, ``bindings.py`` and
``triggers.py`` make texts of that through ``templates/``, and ``files.py`` writes what nobody else has written.
"""
