"""The dataset, loaded once and kept: 10,000 users, 100,000 posts (or as many as asked for), 500,000 comments."""

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.postgres import SUPERUSER, Postgres, running
from fraiseql.db.embedded import find_binaries

SCRIPTS = tuple(
    Path(__file__).with_name("sql") / name for name in ("tables.sql", "views.sql", "functions.sql")
)
USERS, POSTS = 10_000, 100_000


class Busy(RuntimeError):
    """Another run uses the machine: the figures of both would be worthless."""


def cache_directory() -> Path:
    """Return where the data is kept: BENCHMARKS_CACHE, ~/.cache, or /var/tmp for root."""
    if given := os.environ.get("BENCHMARKS_CACHE"):
        return Path(given).absolute()
    if os.geteuid() == 0:  # the server runs as another user, who cannot look into /root
        return Path("/var/tmp/fraiseql-benchmarks")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "fraiseql-benchmarks"


@contextmanager
def alone() -> Iterator[None]:
    """Hold the machine for one run. Raises Busy if another one has it."""
    cache = cache_directory()
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy("Another run is under way; wait for its end.") from error
        yield


@contextmanager
def database(posts: int = POSTS) -> Iterator[Postgres]:
    """Run a server that holds the dataset; the first time, load it (about a minute for 100,000 posts)."""
    size = "" if posts == POSTS else f"-{posts}"
    data = cache_directory() / f"postgresql-{find_binaries().major}-{_fingerprint()}{size}"
    if not data.exists():
        _load(data, posts)
    with running(data) as postgres:
        if posts == POSTS:
            _warm(postgres)
        yield postgres


def _fingerprint() -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in SCRIPTS)).hexdigest()[:12]


def _load(data: Path, posts: int) -> None:
    unfinished = data.with_name(f"{data.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    print(f"Loading the dataset into {data}, once ...", flush=True)
    begun = time.monotonic()
    with running(unfinished) as postgres, postgres.connect() as connection:
        connection.execute("SELECT set_config('benchmarks.posts', %s, false)", [str(posts)])
        for script in SCRIPTS:
            connection.execute(script.read_bytes())
        # FREEZE: no later run rewrites pages because it is the first to read them.
        connection.execute("VACUUM (FREEZE, ANALYZE)")
    unfinished.rename(data)
    print(f"Loaded in {time.monotonic() - begun:.0f} s.", flush=True)


def _warm(postgres: Postgres) -> None:
    """Read every table and index, so that the first system measured is not the one to wait."""
    with postgres.connect(SUPERUSER) as connection:
        connection.execute("CREATE EXTENSION IF NOT EXISTS pg_prewarm")
        connection.execute(
            "SELECT sum(pg_prewarm(oid)) FROM pg_class"
            " WHERE relkind IN ('r', 'i', 't')"
            " AND relnamespace IN ('public'::regnamespace, 'pg_toast'::regnamespace)"
        )
