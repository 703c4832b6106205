"""
Views, functions and other objects whose definition is a file: read, compared, replaced.

``script`` reads the file, ``live`` the database, and ``change`` brings the latter to the former.
"""
