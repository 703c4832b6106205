"""How long an application with 500 bound views takes from `python` to its first answer."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from psycopg import sql

from benchmarks.postgres import Postgres
from benchmarks.servers import ROOT

VIEWS = 500
PROBE = Path(__file__).with_name("startup_probe.py")
# Fields of each type, of the kinds that applications have.
FIELDS = """\
    id: UUID
    identifier: str
    full_name: str
    email: scalars.Email
    bio: str | None
    is_active: bool
    created_at: datetime
    score_{number}: int | None
    rate_{number}: Decimal | None
    tags_{number}: list[str] | None
"""


@dataclass(frozen=True)
class Startup:
    """
    Seconds since the process began, the median of the rounds.

    ``python``: the interpreter runs; ``imported``: Django and FraiseQL are imported and set up, with all
    bindings; ``schema``: the application exists; ``answered``: the first query was answered. ``cpu``: the
    processor time of all that.
    """

    views: int
    python: float
    imported: float
    schema: float
    answered: float
    cpu: float


def startup(postgres: Postgres, rounds: int, directory: Path, views: int = VIEWS) -> Startup:
    """Generate an application with ``views`` bound types and time its start."""
    package = directory / f"bound_{views}"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "bindings.py").write_text(bindings(views))
    environment = {
        **os.environ,
        **postgres.environment(),
        "DJANGO_SETTINGS_MODULE": "benchmarks.app.settings",
        "BENCHMARK_APPS": package.name,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(directory)]),
    }
    with bound_views(postgres, views):
        # The first start also writes bytecode, as an installation does.
        _probe(environment)
        found = [_probe(environment) for _ in range(rounds)]
    return Startup(views, **{name: median(times[name] for times in found) for name in found[0]})


def _probe(environment: Mapping[str, str]) -> dict[str, float]:
    answer = subprocess.run(
        [sys.executable, PROBE], env=environment, capture_output=True, text=True, check=False
    )
    if answer.returncode:
        raise RuntimeError(f"The application did not start:\n{answer.stdout}{answer.stderr}")
    times: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return times


@contextmanager
def bound_views(postgres: Postgres, views: int) -> Iterator[None]:
    """Have the views to bind, while the block lasts: a peer binds whatever it finds."""
    names = [sql.Identifier(f"v_bound_{number}") for number in range(views)]
    create = sql.SQL("CREATE OR REPLACE VIEW {} AS SELECT id, identifier, data FROM tv_user")
    with postgres.connect() as connection:
        with connection.transaction():
            for name in names:
                connection.execute(create.format(name))
        try:
            yield
        finally:
            connection.execute(sql.SQL("DROP VIEW {}").format(sql.SQL(", ").join(names)))


def bindings(views: int) -> str:
    """Return the source of a ``bindings.py``: a type a view, every fourth one embedding another."""
    types = "\n\n".join(_type(number) for number in range(views))
    roots = "\n".join(
        f"    bound_{number} = fraiseql.one(Bound{number})\n    all_bound_{number} = fraiseql.many(Bound{number})"
        for number in range(views)
    )
    return f'''"""Generated."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import fraiseql
from fraiseql import scalars


{types}

class Query(fraiseql.Query):
{roots}
'''


def _type(number: int) -> str:
    embedded = f"    parent: Bound{number - 1} | None\n" if number % 4 == 3 else ""
    return (
        f'@fraiseql.type(view="v_bound_{number}")\n'
        f"class Bound{number}:\n"
        f'    """Number {number}."""\n\n'
        f"{FIELDS.format(number=number)}{embedded}"
    )
