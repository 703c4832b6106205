"""
Stored operations on a request's way: found before it runs, stored and counted after it has run.

What a process knows costs no statement: registered operations are all in memory, compiled and never evicted; of
those that clients stored, the ones used last. These generators yield what must be waited for, as those of
``reading.py`` do.
"""

import logging
from collections.abc import Callable, Generator, Hashable, Mapping, Sequence
from threading import Lock
from time import monotonic, perf_counter
from typing import Any, NamedTuple

from fraiseql.conf import Settings
from fraiseql.db.statement import Statement
from fraiseql.engine.document import persisted
from fraiseql.engine.document.persisted import Stored
from fraiseql.engine.document.request import GraphQLRequest
from fraiseql.engine.operation import Operation
from fraiseql.engine.recent import Recent
from fraiseql.engine.result.envelope import Response
from fraiseql.engine.session import session_of
from fraiseql.engine.statistics import statistics
from fraiseql.engine.viewer import Viewer
from fraiseql.errors import (
    Forbidden,
    FraiseQLError,
    OperationNotRegistered,
    PersistedQueryNotFound,
    PersistedQueryNotSupported,
    RateLimited,
    StaleCatalog,
)

log = logging.getLogger(__name__)

TENANT = "app.current_tenant_id"
"""The session variable that says whose operations those are that a client stores."""

LINES_PER_MINUTE = 60
"""What a process logs at most of operations that are not registered, and of a store that fails."""

Compiled = Mapping[tuple[str, str | None], Operation]
Waiting = Generator[Statement, Any, None]


class Admitted(NamedTuple):
    """
    A request with its text. ``stored``: what the store has of it, or will have if it ``is_new``.

    ``owner``: whose it then is, a tenant and a user. ``started``: as ``perf_counter`` has it.
    """

    request: GraphQLRequest
    owner: tuple[str, str]
    stored: Stored | None
    is_new: bool
    started: float


class Persisted:
    """
    What one engine knows of stored operations.

    ``compile``: returns the operations of a text by text and name. ``pinned``: all that are registered.
    """

    def __init__(self, settings: Settings, compile: Callable[[str], Compiled]) -> None:  # noqa: A002 - what it does
        self.pinned: Compiled = {}
        self._settings = settings
        self._is_enforced = settings.PERSISTED_OPERATIONS == "enforce"
        self._is_logged = settings.PERSISTED_OPERATIONS == "log"
        self._takes_automatic = settings.APQ and not self._is_enforced
        self._compile = compile
        self._registered: Mapping[str, Stored] = {}
        self._compiled: Mapping[str, Compiled] = {}
        self._fingerprint, self._due = "", 0.0
        self._lock = Lock()
        # By tenant and hash.
        self._recent = Recent[tuple[str, str], Stored](settings.DOCUMENT_CACHE_SIZE)
        self._stores = Rate(settings.APQ_MAX_PER_MINUTE)
        self._lines = Rate(LINES_PER_MINUTE)

    def concerns(self, request: GraphQLRequest) -> bool:
        """Tell whether the store has anything to do with ``request``."""
        return request.document_id is not None or self._is_enforced or self._is_logged

    def is_ready(self, request: GraphQLRequest) -> bool:
        """Tell whether ``request`` has a text that may be compiled."""
        if self._is_enforced:
            return (request.query, request.operation_name) in self.pinned
        return bool(request.query)

    def admit(self, request: GraphQLRequest, viewer: Viewer) -> Generator[Statement, Any, Admitted]:
        """Return the request with its text. Raises FraiseQLError if it is not to run."""
        started = perf_counter()
        if monotonic() >= self._due:
            yield from self.refresh()
        tenant = self._tenant_of(viewer)
        owner = tenant, viewer.user_id or ""
        if not request.query:
            stored = yield from self._named(request, tenant)
            self._make_ready(stored)
            return Admitted(request._replace(query=stored.text), owner, stored, False, started)
        digest = request.document_id or persisted.hash_of(request.query)
        known = self._known(digest, tenant)
        if known is not None and known.hash != digest:
            known = None  # Somebody's id is the hash of this text.
        if known is None and self._is_enforced and not self._is_exempt(viewer):
            known = yield from self._required(request, digest)
        if known is not None:
            self._make_ready(known)
        if known is not None or not self._is_storable(request):
            return Admitted(request, owner, known, False, started)
        if not self._stores.take(owner):
            raise RateLimited(
                f"More than {self._settings.APQ_MAX_PER_MINUTE} operations a minute are to be stored.",
                hint="Send this one without 'extensions.persistedQuery'.",
            )
        new = Stored(tenant, digest, request.query, False)
        return Admitted(request, owner, new, True, started)

    def settle(self, admitted: Admitted, response: Response) -> Waiting:
        """Store what is new and valid, count what is stored and log what is not registered."""
        stored = admitted.stored
        if self._is_logged and not (stored and stored.is_registered):
            self._tell(admitted.request, "not registered")
        if stored is None:
            return
        if admitted.is_new:
            if response.is_request_error:
                return
            yield from self._store(stored, admitted)
        if self._settings.OPERATION_STATISTICS:
            duration_ms = (perf_counter() - admitted.started) * 1000
            statistics.note(self._settings.DATABASE, stored.key, duration_ms, response.has_errors)

    def withdraw(self, admitted: Admitted) -> None:
        """Take back what ``admit`` noted of a request that is answered elsewhere."""
        if admitted.is_new:
            self._stores.give_back(admitted.owner)

    def refresh(self) -> Waiting:
        """Learn what is registered, if that has changed."""
        self._due = monotonic() + self._settings.PERSISTED_REFRESH_S
        try:
            rows = yield persisted.registered(self._fingerprint)
        except FraiseQLError as error:
            if self._is_enforced or self._is_logged or not isinstance(error, StaleCatalog):
                self._complain("read", error)
            return  # What is known holds on.
        fingerprint, operations = persisted.all_registered(rows)
        if fingerprint == self._fingerprint:
            return
        is_first = not self._registered
        with self._lock:
            self._register(operations, {})
            self._fingerprint = fingerprint
        if is_first:
            for stored, _ in operations:
                self._make_ready(stored)

    def _tenant_of(self, viewer: Viewer) -> str:
        """Return the tenant whose operations a viewer stores and finds; "" if there are no tenants."""
        paths = self._settings.SESSION_VARIABLES
        return dict(session_of(viewer, paths)).get(TENANT, "") if viewer.session or paths else ""

    def _is_exempt(self, viewer: Viewer) -> bool:
        return viewer.is_staff and self._settings.PERSISTED_OPERATIONS_STAFF

    def _known(self, document_id: str, tenant: str) -> Stored | None:
        return self._registered.get(document_id) or self._recent.get((tenant, document_id))

    def _named(self, request: GraphQLRequest, tenant: str) -> Generator[Statement, Any, Stored]:
        """Return what the client calls by its hash or id."""
        document_id = request.document_id or ""
        known = self._known(document_id, tenant)
        if known is None:
            known = yield from self._ask(document_id, tenant)
        if known is not None:
            return known
        if request.is_automatic and not self._settings.APQ and not self._is_enforced:
            raise PersistedQueryNotSupported
        raise PersistedQueryNotFound

    def _required(self, request: GraphQLRequest, digest: str) -> Generator[Statement, Any, Stored]:
        """Return the registered operation with this text. Raises OperationNotRegistered."""
        known = yield from self._ask(digest, persisted.EVERYONE)
        if known is None or known.hash != digest:
            self._tell(request, "refused: it is not registered")
            raise OperationNotRegistered(
                "Only registered operations run here.",
                hint="If you run this service: manage.py fraiseql_turbo register.",
            )
        return known

    def _ask(self, document_id: str, tenant: str) -> Generator[Statement, Any, Stored | None]:
        find = persisted.find(document_id, tenant, with_automatic=self._takes_automatic)
        try:
            rows = yield find
        except (StaleCatalog, Forbidden) as error:
            if self._is_enforced:
                raise
            # Clients then send texts, which need no store.
            self._complain("read", error)
            raise PersistedQueryNotSupported from error
        stored = persisted.found(rows)
        if stored is None:
            return None
        if stored.is_registered:
            with self._lock:
                self._register([(stored, [document_id])], self._registered)
                self._fingerprint = ""  # It is newer than what was read.
        else:
            self._recent.put((tenant, document_id), stored)
        return stored

    def _register(
        self,
        operations: Sequence[tuple[Stored, Sequence[str]]],
        others: Mapping[str, Stored],
    ) -> None:
        """Know ``operations``, and the ``others`` by hash and id; what is compiled of the rest is dropped."""
        by_id = {document_id: stored for stored, ids in operations for document_id in ids}
        self._registered = {**others, **by_id, **{stored.hash: stored for stored, _ in operations}}
        hashes = {stored.hash for stored in self._registered.values()}
        self._pin({digest: made for digest, made in self._compiled.items() if digest in hashes})

    def _make_ready(self, stored: Stored) -> None:
        """Compile a registered operation, for good."""
        # When the first request asks for it, so that many new ones do not hold up all requests at once.
        if not stored.is_registered or stored.hash in self._compiled:
            return
        made = self._compile_or_tell(stored)
        with self._lock:
            self._pin({**self._compiled, stored.hash: made})

    def _pin(self, compiled: Mapping[str, Compiled]) -> None:
        self._compiled = compiled
        self.pinned = {key: made for each in compiled.values() for key, made in each.items()}

    def _compile_or_tell(self, stored: Stored) -> Compiled:
        try:
            return self._compile(stored.text)
        except FraiseQLError as error:
            log.error("The registered operation %s does not fit the schema: %s", stored.hash, error)
            return {}

    def _is_storable(self, request: GraphQLRequest) -> bool:
        is_wanted = request.is_automatic and self._takes_automatic
        return is_wanted and len(request.query.encode("utf-8", "surrogatepass")) <= (
            self._settings.APQ_MAX_BYTES
        )

    def _store(self, stored: Stored, admitted: Admitted) -> Waiting:
        _, user_id = admitted.owner
        client = f"user {user_id}" if user_id else admitted.request.client
        statement = persisted.store(
            stored,
            admitted.request.operation_name,
            client,
            most_of_client=self._settings.APQ_MAX_STORED_PER_CLIENT,
            most=self._settings.APQ_MAX_STORED,
        )
        try:
            yield statement
        except FraiseQLError as error:
            self._complain("written", error)
        else:
            self._recent.put(stored.key, stored)

    def _tell(self, request: GraphQLRequest, what: str) -> None:
        if self._lines.take("told"):
            digest = request.document_id or persisted.hash_of(request.query)
            name, client = request.operation_name, request.client
            log.warning("Operation %s (%r) of client %r: %s.", digest, name, client, what)

    def _complain(self, how: str, error: FraiseQLError) -> None:
        if self._lines.take("complained"):
            log.warning(
                "Stored operations cannot be %s (%s). Is fraiseql migrated, and does the role have its"
                " rights on tb_persisted_operation?",
                how,
                error.__cause__ or error,
            )


class Rate:
    """How often each key came in this minute, at most ``most`` times; 0: any number."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._minute = 0
        self._counts: dict[Hashable, int] = {}
        self._lock = Lock()

    def take(self, key: Hashable) -> bool:
        """Count one more, if that is allowed."""
        if not self._most:
            return True
        minute = int(monotonic() // 60)
        with self._lock:
            if minute != self._minute:  # Everyone's begins anew at once, so that none is kept.
                self._minute, self._counts = minute, {}
            count = self._counts.get(key, 0)
            if count < self._most:
                self._counts[key] = count + 1
            return count < self._most

    def give_back(self, key: Hashable) -> None:
        """Count one less."""
        with self._lock:
            if self._counts.get(key):
                self._counts[key] -= 1
