"""
``settings.FRAISEQL`` as one frozen dataclass.

Every setting is declared here, once, with its default and its meaning; the settings reference in the
documentation is generated from this class.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any

from django.conf import settings as django_settings
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from fraiseql.errors import ConfigurationError


def setting(default: Any, meaning: str, choices: tuple[str, ...] = ()) -> Any:
    """Return a dataclass field with its meaning, for the settings reference; ``choices``: if not every text."""
    return field(default=default, metadata={"meaning": meaning, "choices": choices})


@dataclass(frozen=True, eq=False)
class Settings:
    """The values of ``settings.FRAISEQL``; what is not given there has the default written here."""

    DATABASE: str = setting("default", "Alias in `DATABASES` that queries read.")
    DEFAULT_LIMIT: int = setting(100, "Rows a list returns when the query does not say how many.")
    MAX_LIMIT: int = setting(1000, "Rows a list may return at most; a larger `limit` is refused.")
    ESTIMATED_COUNTS: bool = setting(
        True,
        "Whether connections have `estimatedCount`. PostgreSQL's statistics are of all rows: the estimate hints at"
        " values in rows that row-level security hides.",
    )
    STATEMENT_TIMEOUT_MS: int = setting(
        30_000,
        "Time after which PostgreSQL cancels a statement; 0: never.",
    )
    POOL: str = setting(
        "multiplexed",
        "How the asynchronous pool is used: `multiplexed`: statements known to be cheap share some of"
        " the connections, in libpq's pipeline mode; `simple`: each has one of its own.",
        choices=("multiplexed", "simple"),
    )
    POOL_MIN_SIZE: int = setting(2, "Connections the asynchronous pool keeps open.")
    POOL_MAX_SIZE: int = setting(10, "Connections the asynchronous pool opens at most.")
    POOL_MAX_LIFETIME_S: int = setting(
        3_600,
        "Age at which a connection of the asynchronous pool is replaced by a new one; 0: none.",
    )
    POOL_MAX_IDLE_S: int = setting(
        600, "Time unused after which a connection beyond POOL_MIN_SIZE is closed."
    )
    POOL_TIMEOUT_MS: int = setting(
        5_000, "Time a request waits for a connection before SERVICE_UNAVAILABLE."
    )
    REPLICAS: tuple[str, ...] = setting(
        (),
        "Aliases in `DATABASES` of standbys of `DATABASE`; queries are read there, except by who wrote"
        " what they have not replayed.",
    )
    REPLICA_MAX_LAG_MS: int = setting(
        30_000, "How far behind a replica may be before it is left out."
    )
    POOL_MAX_WAITING: int = setting(
        1_000,
        "Requests that may wait for a connection, per process; more get SERVICE_UNAVAILABLE (503) at"
        " once, and so do those that would wait longer than POOL_TIMEOUT_MS.",
    )
    DRAIN_MS: int = setting(
        10_000,
        "Time that requests under way have to finish when daphne is told to end; uvicorn and granian have"
        " options of their own.",
    )
    MAX_BODY_BYTES: int = setting(1_048_576, "Largest request body; a larger one is refused (413).")
    MAX_BATCH: int = setting(
        0,
        "Operations in one request, a JSON array of them; their costs are summed. 0: one, no array.",
    )
    MAX_TOKENS: int = setting(10_000, "Tokens a document may have; counted before it is parsed.")
    MAX_SELECTIONS: int = setting(
        2_500, "Fields and fragments a document may spell out; counted before it is parsed."
    )
    MAX_DEPTH: int = setting(15, "Levels of nested selections a document may have.")
    MAX_FIELDS: int = setting(
        10_000,
        "Fields an operation may select, those of a fragment wherever it is used and those of an"
        " interface for each of its types.",
    )
    MAX_ROOT_FIELDS: int = setting(50, "Fields an operation may select at its root.")
    MAX_ALIASES: int = setting(
        200, "Aliases an operation may have, those of a fragment wherever it is used."
    )
    MAX_DIRECTIVES: int = setting(
        200, "Directives an operation may have, those of a fragment wherever it is used."
    )
    MAX_COST: int = setting(
        200_000,
        "What an operation may cost: each field it selects, times the rows it is selected of."
        " 0: anything.",
    )
    MAX_RESPONSE_BYTES: int = setting(
        10_485_760, "Largest response; in place of a larger one goes an error. 0: any size."
    )
    ASSUMED_ROWS: int = setting(
        10, "Items that a list inside a document is taken to have when a cost is worked out."
    )
    MAX_PLAN_COST: int = setting(
        0,
        "What PostgreSQL's planner may estimate a query at; one estimated higher is not run."
        " 0: no estimate is asked for.",
    )
    MAX_PLAN_COST_BY_ROLE: tuple[tuple[str, int], ...] = setting(
        (), "The same for viewers with a role, a dict of roles to costs; of several the highest."
    )
    DOCUMENT_CACHE_SIZE: int = setting(1_000, "Compiled operations kept in memory, per process.")
    APQ: bool = setting(
        True, "Take automatic persisted queries: clients store texts and then send hashes."
    )
    APQ_MAX_BYTES: int = setting(
        65_536, "Longest text that a client may store; a longer one is answered and not stored."
    )
    APQ_MAX_STORED: int = setting(
        10_000, "Texts that clients may store, per tenant; the least recently used ones go first."
    )
    APQ_MAX_STORED_PER_CLIENT: int = setting(
        1_000, "Of these, those of one user, or of one client name where nobody is logged in."
    )
    APQ_MAX_PER_MINUTE: int = setting(
        600,
        "Texts that one user, or all who are not logged in, may store in a minute, per process; more"
        " are refused (RATE_LIMITED). 0: any number.",
    )
    PERSISTED_OPERATIONS: str = setting(
        "off",
        "`off`: any operation runs; `log`: so too, and those that are not registered are logged;"
        " `enforce`: only registered ones run.",
        choices=("off", "log", "enforce"),
    )
    PERSISTED_OPERATIONS_STAFF: bool = setting(
        False, "Under `enforce`, staff may run any operation."
    )
    PERSISTED_REFRESH_S: int = setting(
        10, "Time after which a process looks again at what is registered."
    )
    OPERATION_STATISTICS: bool = setting(
        True, "Count uses, errors and durations of stored operations, in the background."
    )
    GRAPHIQL: bool | None = setting(None, "Serve GraphiQL to browsers; None: when `DEBUG` is on.")
    INTROSPECTION: str | None = setting(
        None,
        "Who may ask for the schema: `public`: everybody; `authenticated`: viewers who are known; `off`: nobody;"
        " None: `public` when `DEBUG` is on, else `off`. True and False are `public` and `off`.",
        choices=("public", "authenticated", "off"),
    )
    HTTP_PROFILE: str = setting(
        "compat",
        "Statuses of answers: `compat`: those of the public audits, which clients expect; `draft-2026`: those of"
        " the specification's edition of September 2026.",
        choices=("compat", "draft-2026"),
    )
    SSE_HEARTBEAT_MS: int = setting(
        10_000,
        "Time after which a streamed answer that is not ready sends a sign of life; 0: never.",
    )
    AUTHENTICATION: tuple[str, ...] = setting(
        ("fraiseql.authentication.session",),
        "Dotted paths of the callables that say who sent a request; the first that knows decides.",
    )
    ACCELERATOR: str = setting(
        "auto",
        "`auto`: the Rust projector when installed; `require`: refuse to start without it;"
        " `off`: pure Python. The environment variable FRAISEQL_ACCELERATOR wins.",
        choices=("auto", "require", "off"),
    )
    MUTATION_PAYLOAD: str = setting(
        "payload",
        "What bound mutations answer: `payload`, one type with the result and `errors`; `union`, a success"
        " or an error type.",
        choices=("payload", "union"),
    )
    MUTATION_TRANSACTION: str = setting(
        "field",
        "What is undone when one of several mutations of an operation fails: `field`, that one alone;"
        " `operation`, all of them.",
        choices=("field", "operation"),
    )
    SESSION_VARIABLES: tuple[str, ...] = setting(
        (),
        "Dotted paths of functions that take the viewer and return more PostgreSQL session variables,"
        " a dict of names to values.",
    )
    LOCK_TIMEOUT_MS: int = setting(
        5_000,
        "Time an operation of a migration (`fraiseql.operations`) waits for the lock on what it changes, while"
        " whoever uses that waits behind it; 0: as long as the database lets it.",
    )
    IDEMPOTENCY_HOURS: int = setting(
        24, "Hours for which a mutation sent again with its idempotency key has the same answer."
    )
    CASCADE_RULES: tuple[str, ...] = setting(
        (),
        "What syncs with `cascade=True` follow beside the rules read off the types. `tv_post -> tv_user by fn_x`:"
        " `fn_x(keys)` returns the keys of the rows to refresh. `without tv_user -> tv_post at author`: not this"
        " one.",
    )
    GRAPHENE_SCHEMAS: tuple[str, ...] = setting(
        (), "Dotted paths of `graphene.Schema` objects whose fields join the schema."
    )


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Return the settings. Raises ConfigurationError for an unknown name or a value of the wrong type."""
    given = getattr(django_settings, "FRAISEQL", {})
    if not isinstance(given, Mapping):
        raise ConfigurationError("settings.FRAISEQL must be a dict.")
    known = {entry.name: entry for entry in fields(Settings)}
    for name in given:
        if name not in known:
            raise ConfigurationError(
                f"settings.FRAISEQL has no setting {name!r}.",
                hint=f"Known: {', '.join(sorted(known))}.",
            )
    values = dict(given)
    if environment := os.environ.get("FRAISEQL_ACCELERATOR"):
        values["ACCELERATOR"] = environment
    if isinstance(introspection := values.get("INTROSPECTION"), bool):
        values["INTROSPECTION"] = "public" if introspection else "off"
    for name, value in list(values.items()):
        if name == "MAX_PLAN_COST_BY_ROLE":
            values[name] = _by_role(name, value)
            continue
        _check(name, value, known[name].default, known[name].metadata["choices"])
        if isinstance(known[name].default, tuple):
            values[name] = tuple(value)
    return Settings(**values)


def _by_role(name: str, value: Any) -> tuple[tuple[str, int], ...]:
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"FRAISEQL[{name!r}] must be a dict of roles to numbers.")
    for role, number in value.items():
        _check(f"{name}'][{role!r}", number, 0, ())
    return tuple(sorted(value.items()))


def _check(name: str, value: Any, default: Any, choices: tuple[str, ...]) -> None:
    if choices:
        if value not in choices and value != default:
            raise ConfigurationError(
                f"FRAISEQL[{name!r}] must be {', '.join(choices[:-1])} or {choices[-1]}, not {value!r}."
            )
        return
    if isinstance(default, tuple):
        if isinstance(value, str) or not all(isinstance(item, str) for item in value):
            raise ConfigurationError(f"FRAISEQL[{name!r}] must be a list of strings.")
        return
    expected: tuple[type, ...] = (bool, type(None)) if default is None else (type(default),)
    if not isinstance(value, expected) or (isinstance(value, bool) and bool not in expected):
        names = " or ".join(kind.__name__ for kind in expected)
        raise ConfigurationError(f"FRAISEQL[{name!r}] must be {names}, not {value!r}.")
    if isinstance(value, int) and not isinstance(value, bool) and value < 0:
        raise ConfigurationError(f"FRAISEQL[{name!r}] must not be negative.")


def imported(name: str, path: str) -> Any:
    """Return what the dotted ``path`` in the setting ``name`` stands for. Raises ConfigurationError."""
    try:
        return import_string(path)
    except ImportError as error:
        raise ConfigurationError(
            f"FRAISEQL[{name!r}] names {path!r}, which cannot be imported: {error}."
        ) from error


def _forget(*, setting: str, **_: Any) -> None:
    if setting == "FRAISEQL":
        get_settings.cache_clear()


setting_changed.connect(_forget)
