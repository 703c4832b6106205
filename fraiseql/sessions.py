"""
Django's sessions, read on the asynchronous pool for requests in front of Django.

The ORM, in a thread, takes many times as long as the query whose viewer is asked for. Of what Django ships, two
statements read a session and its user, made by the ORM once. A project with an engine, a backend or a user of
another kind is asked in a thread.
"""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import lru_cache, partial
from importlib import import_module
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async
from django.apps import apps
from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
    load_backend,
)
from django.contrib.postgres.expressions import ArraySubquery
from django.core.signals import setting_changed
from django.db import connections, router
from django.db.models import BooleanField, Func, ManyToManyField, OuterRef, TextField, Value
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from fraiseql.db import pool
from fraiseql.db.statement import Statement
from fraiseql.engine.viewer import Viewer

MAX_KEPT = 1024
"""Sessions and passwords whose signatures are not verified again; both are read for each request."""

MIN_KEY = 8
"""Characters of the shortest key that Django's session stores look up."""

_ENGINE = "django.contrib.sessions.backends.db"
_FLAGS = ("is_active", "is_staff", "is_superuser")
# What ``django.contrib.auth.get_user`` asks of backends and users: replaced, it is Django's to call.
_OF_BACKENDS = ("ModelBackend.get_user", "ModelBackend.user_can_authenticate")
_OF_USERS = (
    "AbstractBaseUser.get_session_auth_hash",
    "AbstractBaseUser.get_session_auth_fallback_hash",
    "AbstractBaseUser._get_session_auth_hash",
)


def viewer(key: str, by_django: Callable[[str], Viewer | None]) -> Awaitable[Viewer | None]:
    """Return what ends with the viewer whose session ``key`` is. ``by_django``: finds out in a thread."""
    reader = _reader()
    return sync_to_async(by_django)(key) if reader is None else reader.viewer(key)


class _Query(NamedTuple):
    text: str
    using: str
    columns: int


class _Reader(NamedTuple):
    """
    Two statements, the ``session`` by its key and the ``user`` by what it holds, and what is signed in them.

    ``decode``: returns what a session holds. ``is_of``: tells whether a hash in it is that of a password.
    """

    session: _Query
    user: _Query
    decode: Callable[[str], dict[str, Any]]
    is_of: Callable[[str, str], bool]

    async def viewer(self, key: str) -> Viewer | None:
        """Return what ``django.contrib.auth.get_user`` would, as a viewer."""
        if len(key) < MIN_KEY:
            return None
        # Not Django's now, which USE_TZ may leave without a zone: the pool's connections have their own.
        found = await _row(self.session, key, datetime.now(UTC).isoformat())
        if found is None:
            return None
        kept = self.decode(found[0])
        user_id = kept.get(SESSION_KEY)
        if not user_id or kept.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
            return None
        found = await _row(self.user, str(user_id))
        if found is None:
            return None
        pk, password, active, staff, superuser, groups = found
        signed = kept.get(HASH_SESSION_KEY)
        if active != "t" or not signed or not self.is_of(signed, password):
            return None
        return Viewer(pk, staff == "t", superuser == "t", frozenset(json.loads(groups)))


async def _row(query: _Query, *params: str) -> list[str] | None:
    rows = await pool.fetch(Statement(query.text, params), query.using)
    if not rows:
        return None
    return [(rows.column(number)[0] or b"").decode() for number in range(query.columns)]


@lru_cache(maxsize=1)
def _reader() -> _Reader | None:
    """Return how sessions are read here; None: by Django."""
    if settings.SESSION_ENGINE != _ENGINE or not apps.is_installed("django.contrib.sessions"):
        return None
    backends = [type(load_backend(path)) for path in settings.AUTHENTICATION_BACKENDS]
    model = get_user_model()
    fields = {field.name: field for field in model._meta.get_fields()}
    if (
        not all(_has(backend, _OF_BACKENDS) for backend in backends)
        or not _has(model, _OF_USERS)
        or not all(isinstance(fields.get(name), BooleanField) for name in _FLAGS)
        or not isinstance(fields.get("groups"), ManyToManyField)
    ):
        return None
    store = import_module(_ENGINE).SessionStore
    session, user = _session_query(store.get_model_class()), _user_query(model)
    if session is None or user is None:
        return None
    return _Reader(
        session,
        user,
        lru_cache(maxsize=MAX_KEPT)(store().decode),
        lru_cache(maxsize=MAX_KEPT)(partial(_is_of, model)),
    )


def _is_of(model: Any, signed: str, password: str) -> bool:
    """Tell whether a session was begun with this password, and with a key that is still good."""
    user = model.from_db(None, ["password"], [password])
    return constant_time_compare(signed, user.get_session_auth_hash()) or any(
        constant_time_compare(signed, older) for older in user.get_session_auth_fallback_hash()
    )


def _has(owner: type, methods: tuple[str, ...]) -> bool:
    """Tell whether a class has these methods from the classes they are named with."""
    return all(
        getattr(getattr(owner, method.partition(".")[2], None), "__qualname__", "") == method
        for method in methods
    )


def _session_query(model: Any) -> _Query | None:
    # One after the other: their parameters come in this order.
    rows = model._default_manager.filter(session_key="").filter(expire_date__gt=timezone.now())
    return _query(rows.values_list("session_data"), 2)


def _user_query(model: Any) -> _Query | None:
    groups = model._meta.get_field("groups")
    names = groups.related_model._default_manager.filter(
        **{groups.related_query_name(): OuterRef("pk")}
    ).values("name")
    listed: Any = Func(ArraySubquery(names), function="to_json", output_field=TextField())
    rows = model._default_manager.filter(pk=Value("")).annotate(listed_groups=listed)
    return _query(rows.values_list("pk", "password", *_FLAGS, "listed_groups"), 1)


def _query(rows: Any, params: int) -> _Query | None:
    """Return the SQL of a queryset; None: it has other parameters, or another database."""
    using = router.db_for_read(rows.model)
    if connections[using].vendor != "postgresql":
        return None
    text, given = rows.query.get_compiler(using).as_sql()
    columns = len(rows.query.values_select) + len(rows.query.annotation_select)
    return _Query(text, using, columns) if len(given) == params else None


def _forget(**_: Any) -> None:
    """Settings change in tests, which say so."""
    _reader.cache_clear()


setting_changed.connect(_forget)
