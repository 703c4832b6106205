"""A private server starts, is joined by others, and keeps what was committed."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from fraiseql.db.embedded import EmbeddedServer, State, places, project_server, url_for
from fraiseql.db.embedded.project import database_config

pytestmark = pytest.mark.slow

AS_ROOT = os.geteuid() == 0
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def place(short_directory: Path) -> Iterator[Path]:
    """A directory that does not exist yet."""
    directory = short_directory / uuid4().hex[:8]
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def own(place: Path, server: EmbeddedServer) -> Iterator[EmbeddedServer]:
    """A server for one test, of each version, not started."""
    created = EmbeddedServer(place, server.binaries, options={"fsync": "off"})
    yield created
    created.stop()


@pytest.fixture
def other(place: Path, django_server: EmbeddedServer) -> Iterator[EmbeddedServer]:
    """A server for one test, of one version, not started."""
    created = EmbeddedServer(place, django_server.binaries, options={"fsync": "off"})
    yield created
    created.stop()


def run_python(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own; return what it printed."""
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_each_version_serves_an_empty_database(server: EmbeddedServer, server_uri: str) -> None:
    with psycopg.connect(server_uri) as client:
        tables = client.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        major = client.info.server_version // 10000

        assert tables.fetchone() == (0,)
        assert major == server.status().major


@pytest.mark.django_db
def test_django_works_on_its_server(django_server: EmbeddedServer) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('data_directory')")

        assert cursor.fetchone() == (f"{django_server.directory}/data",)


def test_it_starts_once_stops_once_and_says_so(own: EmbeddedServer) -> None:
    assert own.status().state is State.ABSENT
    assert not own.stop()

    assert own.start() == own.start() == own.uri()
    assert own.status().state is State.RUNNING

    assert own.stop()
    assert not own.stop()
    assert own.status().state is State.STOPPED


def test_by_itself_it_keeps_what_is_committed_safe_in_utf8_and_utc(
    place: Path, server: EmbeddedServer
) -> None:
    plain = EmbeddedServer(place, server.binaries)
    with psycopg.connect(plain.start()) as client:
        row = client.execute(
            "SELECT current_setting('fsync'), current_setting('timezone'),"
            " current_setting('listen_addresses'), current_setting('server_encoding'),"
            " upper('é'), 'Z' < 'a'"
        ).fetchone()
    plain.stop()

    assert row == ("on", "UTC", "", "UTF8", "É", True)


def test_its_owner_is_no_superuser_and_may_create_databases_roles_and_extensions(
    server_uri: str,
) -> None:
    role = sql.Identifier(f"role_{uuid4().hex}")

    with psycopg.connect(server_uri, autocommit=True) as client:
        client.execute("CREATE EXTENSION ltree")
        client.execute("CREATE EXTENSION citext")
        client.execute("CREATE EXTENSION pg_trgm")
        client.execute(sql.SQL("CREATE ROLE {}").format(role))
        client.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))
        client.execute(sql.SQL("SET ROLE {}").format(role))
        client.execute("RESET ROLE")
        client.execute(sql.SQL("DROP ROLE {}").format(role))
        attributes = client.execute(
            "SELECT rolsuper, rolbypassrls, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        ).fetchone()

    assert attributes == (False, False, True)


def test_only_its_owner_reaches_the_socket(server: EmbeddedServer) -> None:
    found = server.status()

    assert found.socket.stat().st_mode & 0o077 == 0
    assert (found.socket / ".s.PGSQL.5432").stat().st_mode & 0o077 == 0
    assert (found.directory / "data").stat().st_mode & 0o077 == 0


def test_after_kill_9_the_next_start_has_what_was_committed(own: EmbeddedServer) -> None:
    uri = own.start()
    pid = own.status().pid
    assert pid is not None
    client = psycopg.connect(uri)
    client.execute("CREATE TABLE kept (n int)")
    client.execute("INSERT INTO kept VALUES (1)")
    client.commit()
    client.execute("INSERT INTO kept VALUES (2)")  # never committed
    # A backend that computes does not notice that its postmaster is gone.
    busy = threading.Thread(target=_compute, args=(uri,))
    busy.start()
    _wait_until_computing(uri)

    os.kill(pid, signal.SIGKILL)
    assert own.start() == uri

    busy.join()
    client.close()
    assert own.status().pid != pid
    with psycopg.connect(uri) as client:
        assert client.execute("SELECT n FROM kept").fetchall() == [(1,)]


def test_a_pid_file_whose_number_is_another_programs_by_now_does_not_matter(
    other: EmbeddedServer,
) -> None:
    other.start()
    pid_file = other.directory / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    other.stop()
    owner = (other.directory / "data").stat()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:], ""]))
    os.chown(pid_file, owner.st_uid, owner.st_gid)

    assert other.status().state is State.KILLED
    assert not other.stop()
    other.start()
    assert other.status().state is State.RUNNING


def test_a_start_that_was_interrupted_is_finished_by_the_next(other: EmbeddedServer) -> None:
    other.start()
    superuser = other.uri(database="postgres", user="postgres")
    with psycopg.connect(superuser, autocommit=True) as client:
        client.execute("DROP DATABASE fraiseql")

    psycopg.connect(other.start()).close()


def test_five_processes_that_start_it_at_once_get_one_server(
    place: Path, other: EmbeddedServer
) -> None:
    program = (
        "import sys; from fraiseql.db.embedded import *\n"
        "server = EmbeddedServer(sys.argv[1], Binaries(__import__('pathlib').Path(sys.argv[2]), sys.argv[3]))\n"
        "server.start(); print(server.status().pid)"
    )
    chosen = other.binaries
    command = [sys.executable, "-c", program, str(place), str(chosen.directory), chosen.version]
    processes = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(5)
    ]
    printed = [process.communicate()[0] for process in processes]

    assert [process.returncode for process in processes] == [0] * 5
    assert printed == [f"{other.status().pid}\n"] * 5


def test_it_outlives_the_process_that_started_it_and_its_ctrl_c(
    place: Path, other: EmbeddedServer
) -> None:
    program = (
        "import sys, time; from fraiseql.db.embedded import *; EmbeddedServer(sys.argv[1]).start()\n"
        "print(flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(place)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.killpg(process.pid, signal.SIGINT)
    assert process.returncode != 0

    assert EmbeddedServer(place).status().state is State.RUNNING
    EmbeddedServer(place).stop()


def test_a_path_too_long_for_a_socket_puts_the_socket_elsewhere(
    short_directory: Path, other: EmbeddedServer
) -> None:
    parent = short_directory / ("long " * 12) / ("longer " * 12)
    server = EmbeddedServer(parent / "it's", other.binaries, options={"fsync": "off"})
    try:
        psycopg.connect(server.start()).close()

        socket = server.status().socket
        assert socket.parent == Path("/tmp")
        assert socket.stat().st_mode & 0o077 == 0
    finally:
        server.stop()
    socket.rmdir()


def test_a_log_grown_long_is_put_aside(other: EmbeddedServer) -> None:
    other.start()
    other.stop()
    with other.status().log.open("a") as log:
        log.truncate(11 * 2**20)

    other.start()

    assert other.status().log.stat().st_size < 2**20
    assert other.status().log.with_suffix(".old").stat().st_size > 10 * 2**20


@pytest.mark.skipif(not AS_ROOT, reason="only root hands over to another user")
def test_root_runs_it_as_the_owner_of_the_project(place: Path, other: EmbeddedServer) -> None:
    place.mkdir(mode=0o700)
    os.chown(place, 65534, 65534)

    other.start()

    assert (place / "data").stat().st_uid == 65534


@pytest.mark.skipif(not AS_ROOT, reason="only root hands over to another user")
def test_roots_projects_that_nobody_else_reaches_have_their_data_elsewhere(
    place: Path,
    other: EmbeddedServer,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    roots = place.with_suffix(".roots"), place.with_suffix(".second")
    roots[0].symlink_to("/tmp")  # where others may write: passed over
    monkeypatch.setattr(places, "SHARED_ROOTS", roots)
    place.mkdir(mode=0o700)
    server = EmbeddedServer(place / "state", other.binaries, options={"fsync": "off"})
    try:
        psycopg.connect(server.start()).close()

        target = (place / "state").readlink()
        assert target.parent == roots[1]
        assert str(target) in caplog.text
        assert target.stat().st_mode & 0o077 == 0
    finally:
        server.stop()


@pytest.mark.skipif(not AS_ROOT, reason="the other tests run without root already")
def test_an_ordinary_user_runs_it_too(place: Path, server: EmbeddedServer) -> None:
    place.mkdir()
    os.chown(place, 65534, 65534)
    # Modules are loaded first: the user may not be able to reach them.
    program = """
import os, sys, psycopg
from pathlib import Path
from fraiseql.db.embedded import Binaries, EmbeddedServer
from fraiseql.db.embedded.account import account_for
from fraiseql.db.embedded.places import reachable_binaries
binaries = Binaries(Path(sys.argv[2]), sys.argv[3])
binaries = reachable_binaries(binaries, account_for(Path(sys.argv[1])))
os.setgroups([]); os.setgid(65534); os.setuid(65534)
server = EmbeddedServer(Path(sys.argv[1], "state"), binaries, options={"fsync": "off"})
with psycopg.connect(server.start()) as client:
    print(client.execute("SELECT 1").fetchone())
print(server.stop())
"""
    chosen = server.binaries
    result = run_python(program, place, chosen.directory, chosen.version)

    assert (result.stdout, result.stderr) == ("(1,)\nTrue\n", "")
    assert (place / "state" / "data").stat().st_uid == 65534


@pytest.fixture
def project(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of a project, without the environment's opinion on servers."""
    for name in ("PG_BIN", "FRAISEQL_POSTGRES", "FRAISEQL_POSTGRES_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)
    place.mkdir(mode=0o711)
    place.chmod(0o711)
    return place


def test_a_projects_server_starts_for_its_settings(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["manage.py", "runserver"])
    try:
        config = database_config(project)

        server = project_server(project)
        assert server.status().state is State.RUNNING
        assert url_for(project) == server.uri()
        assert server.directory.parent == project / ".fraiseql" / "postgres"
        with psycopg.connect(
            host=config["HOST"],
            port=config["PORT"],
            user=config["USER"],
            dbname=config["NAME"],
        ) as client:
            assert client.execute("SELECT 1").fetchone() == (1,)
    finally:
        project_server(project).stop()


def test_the_command_that_manages_the_server_does_not_start_it(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["manage.py", "fraiseql_postgres", "status"])

    config = database_config(project)

    assert config["HOST"].endswith("/socket")
    assert project_server(project).status().state is State.ABSENT


def test_existing_data_decides_the_version_unless_another_is_asked_for(
    project: Path, server: EmbeddedServer, caplog: pytest.LogCaptureFixture
) -> None:
    data = project / ".fraiseql" / "postgres" / "14" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("14\n")

    assert project_server(project).directory == data.parent
    assert not caplog.text

    chosen = project_server(project, prefer=str(server.binaries.major))
    assert chosen.directory == data.parent.with_name(str(server.binaries.major))
    assert "starts empty" in caplog.text


def _compute(uri: str) -> None:
    with pytest.raises(psycopg.OperationalError), psycopg.connect(uri) as client:
        client.execute("DO $$ BEGIN LOOP END LOOP; END $$")


def _wait_until_computing(uri: str) -> None:
    with psycopg.connect(uri, autocommit=True) as client:
        found = None
        while found is None:
            found = client.execute(
                "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'DO %'"
            ).fetchone()
