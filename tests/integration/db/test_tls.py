"""Connections with TLS, as OPTIONS of DATABASES say: both ways to use the pool, and Django's own."""

import asyncio
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from django.db import connections
from pytest_django import DjangoDbBlocker

from fraiseql.db import pool, sync
from fraiseql.db.embedded import EmbeddedServer, find_binaries
from fraiseql.db.embedded.account import account_for
from fraiseql.db.statement import Statement
from fraiseql.errors import EmbeddedServerError, ServiceUnavailable
from tests.conftest import NAMED, VERSIONS
from tests.integration.db.conftest import add_alias, remove_alias

pytestmark = pytest.mark.usefixtures("as_served", "way")

IS_ENCRYPTED = Statement("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Who vouches for the server."""
    return trustme.CA()


@pytest.fixture(scope="module", params=VERSIONS)
def place(
    request: pytest.FixtureRequest, short_directory: Path, authority: trustme.CA
) -> Iterator[str]:
    """The address of a server that speaks TLS."""
    try:
        binaries = find_binaries(request.param)
    except EmbeddedServerError as error:
        if NAMED:
            raise
        pytest.skip(str(error))
    told = subprocess.run(
        [binaries.program("pg_config"), "--configure"], check=True, capture_output=True, text=True
    )
    if "ssl" not in told.stdout:
        pytest.skip(f"PostgreSQL {binaries.version} here is built without TLS")
    directory = short_directory / f"tls-{request.param}"
    directory.mkdir(mode=0o755)
    # Of this machine as 127.0.0.1 is, so that the port is free.
    address = f"127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(1, 254)}"
    issued = authority.issue_cert(address)
    key, certificate = directory / "key.pem", directory / "certificate.pem"
    issued.private_key_pem.write_to_path(key)
    issued.cert_chain_pems[0].write_to_path(certificate)
    account = account_for(directory)
    for file in (key, certificate):
        file.chmod(0o600)
        account.own(file)
    options = {
        "ssl": "on",
        "ssl_key_file": str(key),
        "ssl_cert_file": str(certificate),
        "listen_addresses": address,
        "fsync": "off",
    }
    server = EmbeddedServer(directory / "server", binaries, options=options)
    server.start()
    yield address
    server.stop()


@pytest.fixture
def secure(
    place: str, authority: trustme.CA, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> Iterator[str]:
    """An alias that trusts the authority and nobody else."""
    trusted = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(trusted)
    add_alias("secure", f"postgresql://fraiseql@{place}:5432/fraiseql")
    connections.settings["secure"]["OPTIONS"] = {
        "sslmode": "verify-full",
        "sslrootcert": str(trusted),
    }
    with django_db_blocker.unblock():
        yield "secure"
        remove_alias("secure")


def test_connections_are_encrypted(secure: str) -> None:
    async def scenario() -> list[bytes | None]:
        return [(await pool.fetch(IS_ENCRYPTED, secure)).column(0)[0] for _ in range(4)]

    assert asyncio.run(scenario()) == [b"t"] * 4
    assert sync.fetch(IS_ENCRYPTED, secure).column(0) == [b"t"]


def test_large_values_pass(secure: str) -> None:
    text = "é" * 2_000_000

    async def scenario() -> bytes | None:
        return (await pool.fetch(Statement("SELECT %s", (text,)), secure)).column(0)[0]

    assert asyncio.run(scenario()) == text.encode()


def test_a_server_that_somebody_else_vouches_for_gets_nothing(secure: str, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")

    with pytest.raises(ServiceUnavailable):
        asyncio.run(_fetched(secure))


async def _fetched(alias: str) -> None:
    await pool.fetch(IS_ENCRYPTED, alias)
