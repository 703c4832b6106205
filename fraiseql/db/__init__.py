"""
The ground: statements in, rows out. Nothing outside this room waits for PostgreSQL.

``sync.fetch`` runs on Django's own connection, ``pool.fetch`` on connections of the event loop's
own; both take flights of several (``fetch_all``) and raise the errors of ``faults``. ``catalog``
tells which views and columns there are.
"""
