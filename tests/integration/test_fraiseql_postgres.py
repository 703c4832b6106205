"""``manage.py fraiseql_postgres``, as it is typed."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from fraiseql.db.embedded import EmbeddedServer

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
Manage = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def manage(short_directory: Path, django_server: EmbeddedServer) -> Iterator[Manage]:
    """Run the command on a server of the test's own."""
    directory = short_directory / uuid4().hex[:8]
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "FRAISEQL_POSTGRES": str(django_server.binaries.major),
    }

    def run(action: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["-W", "error", "-m", "django", "fraiseql_postgres", action]
        return subprocess.run(
            [sys.executable, *command, f"--directory={directory}", *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    yield run
    EmbeddedServer(directory).stop()
    shutil.rmtree(directory, ignore_errors=True)


def test_status_tells_by_its_exit_code(manage: Manage) -> None:
    absent = manage("status")
    manage("start")
    running = manage("status")
    manage("stop")
    stopped = manage("status", "--format=json")

    assert (absent.returncode, running.returncode, stopped.returncode) == (4, 0, 3)
    assert absent.stdout.startswith("There is no data in")
    assert "runs (process" in running.stdout
    assert json.loads(stopped.stdout)["state"] == "stopped"


def test_start_can_be_asked_for_first(manage: Manage) -> None:
    assert manage("start", "--dry-run").stdout == "Would start the server.\n"
    assert manage("start", "--check").returncode == 1

    started = manage("start", "--format=json")

    assert json.loads(started.stdout)["state"] == "running"
    assert manage("start", "--check").returncode == 0
    assert json.loads(manage("stop", "--check", "--format=json").stdout) == {
        "action": "stop",
        "needed": True,
    }


def test_psql_is_the_servers_own_and_starts_it(manage: Manage) -> None:
    result = manage("psql", "--superuser", "--", "-Atc", "SELECT current_user")

    assert (result.stdout, result.returncode) == ("postgres\n", 0)


def test_the_uri_and_the_log_are_printed(manage: Manage) -> None:
    manage("start")

    uri = manage("uri").stdout
    assert uri.startswith("postgresql://fraiseql@/fraiseql?host=")
    assert json.loads(manage("uri", "--format=json").stdout) == {"uri": uri.strip()}
    assert "ready to accept connections" in manage("logs").stdout
    assert len(json.loads(manage("logs", "--format=json", "--lines=1").stdout)["lines"]) == 1


def test_a_fault_is_one_line_with_its_hint(manage: Manage) -> None:
    result = manage("start", "--postgres=99")

    assert result.returncode == 1
    assert result.stderr.startswith("CommandError: No PostgreSQL 99 on this machine")
    assert result.stderr.count("\n") == 1


def test_an_unknown_alias_is_refused(short_directory: Path) -> None:
    with pytest.raises(CommandError, match="no alias 'elsewhere'"):
        call_command(
            "fraiseql_postgres", "uri", directory=short_directory / "x", database="elsewhere"
        )


@pytest.mark.django_db
def test_the_uri_is_that_of_the_aliass_database(
    django_server: EmbeddedServer, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("fraiseql_postgres", "uri", directory=django_server.directory)

    assert "/test_" in capsys.readouterr().out
