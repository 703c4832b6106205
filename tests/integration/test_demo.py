"""The demonstration: ``manage.py demo`` on the blog, and the program that installs it first."""

import json
import os
import pty
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import psycopg
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(short_directory: Path) -> Iterator[Path]:
    """The blog in a folder of its own, with its server's data."""
    home = short_directory / "demo"
    home.mkdir(mode=0o711)
    shutil.copy(ROOT / "manage.py", home)
    ignored = shutil.ignore_patterns("__pycache__", ".*", "staticfiles")
    shutil.copytree(ROOT / "examples", home / "examples", ignore=ignored)
    yield home
    run(home, "fraiseql_postgres", "stop")


def environment() -> dict[str, str]:
    kept = {"PATH", "HOME", "LANG", "LC_ALL", "FRAISEQL_ACCELERATOR"}
    return {name: value for name, value in os.environ.items() if name in kept} | {
        "PYTHONPATH": str(ROOT),
        "FRAISEQL_POSTGRES": os.environ.get("FRAISEQL_TEST_POSTGRES", ""),
    }


def start(site: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=site,
        env=environment() | variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(site: Path, *arguments: str, **variables: str) -> tuple[int, str, str]:
    with start(site, *arguments, **variables) as process:
        out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@pytest.fixture
def running(site: Path, free_port: int) -> Iterator[subprocess.Popen[str]]:
    """A demo that has shown its answer."""
    with start(site, "demo", "--port", str(free_port)) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("Ctrl-C"):
                break
        else:
            assert process.stderr is not None
            pytest.fail(process.stderr.read())
        yield process
        process.kill()


def test_it_shows_the_addresses_and_a_real_answer(site: Path, free_port: int) -> None:
    code, out, err = run(site, "demo", "--once", "--port", str(free_port))
    answer = json.loads(out[out.index("\n{\n") : out.index("\n}\n") + 2])

    assert (code, err) == (0, "")
    assert f"GraphiQL  http://127.0.0.1:{free_port}/graphql/" in out
    assert f"Admin     http://127.0.0.1:{free_port}/admin/  (user demo, password " in out
    first = answer["data"]["posts"][0]
    assert set(first) == {"id", "title", "author", "comments"}
    assert first["comments"]


def test_running_it_again_adds_nothing(site: Path, free_port: int) -> None:
    run(site, "demo", "--once", "--port", str(free_port))
    _, out, _ = run(site, "demo_data")
    _, drift, _ = run(site, "fraiseql_sync", "--check")

    assert out.split() == [
        "users:",
        "0",
        "added",
        "posts:",
        "0",
        "added",
        "comments:",
        "0",
        "added",
    ]
    assert drift == "".join(
        f"tv_{name}: 0 missing, 0 stale, 0 orphaned\n" for name in ("user", "comment", "post")
    )


def test_a_second_one_names_the_first(
    site: Path, free_port: int, running: subprocess.Popen[str]
) -> None:
    code, _, err = run(site, "demo", "--port", "1")

    assert code == 1
    assert f"runs already: http://127.0.0.1:{free_port}/ (process {running.pid})" in err
    with urlopen(f"http://127.0.0.1:{free_port}/admin/login/") as page:
        assert page.status == 200


def test_it_ends_at_ctrl_c_in_a_scripts_background(site: Path, free_port: int) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # what a child inherits
    try:
        process = start(site, "demo", "--port", str(free_port))
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("Ctrl-C"):
                process.send_signal(signal.SIGINT)
        process.wait(timeout=60)

    assert process.returncode == 0


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_told_to_and_starts_again(
    sign: signal.Signals, site: Path, free_port: int, running: subprocess.Popen[str]
) -> None:
    running.send_signal(sign)
    out, err = running.communicate(timeout=60)
    code, _, _ = run(site, "demo", "--once", "--port", str(free_port))

    assert (running.returncode, err) == (0, "")
    assert "Stopped. The data is kept" in out
    assert code == 0


def test_interrupted_while_it_prepares_it_says_how_to_go_on(site: Path, free_port: int) -> None:
    run(site, "migrate", "--verbosity=0")
    _, uri, _ = run(site, "fraiseql_postgres", "uri")
    with psycopg.connect(uri.strip()) as connection:
        connection.execute("LOCK TABLE tv_user")
        with start(site, "demo", "--port", str(free_port)) as process:
            wait_for_lock(uri.strip())
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "run this again to go on" in err
    assert "Traceback" not in err


def wait_for_lock(uri: str) -> None:
    """Return when somebody waits for a lock on a table."""
    with psycopg.connect(uri, autocommit=True) as watcher:
        for _ in range(600):
            found = watcher.execute("SELECT FROM pg_locks WHERE NOT granted").rowcount
            if found:
                return
            time.sleep(0.1)
    pytest.fail("nobody waited for the lock")


def test_progress_is_drawn_where_somebody_is_looking(site: Path) -> None:
    run(site, "migrate", "--verbosity=0")
    ours, theirs = pty.openpty()
    command = [sys.executable, "manage.py", "fraiseql_sync"]
    subprocess.run(
        command, cwd=site, env=environment() | {"TERM": "xterm"}, stderr=theirs, check=True
    )
    os.close(theirs)
    drawn = os.read(ours, 100_000).decode()
    os.close(ours)

    assert "tv_post" in drawn
    assert "0/3" in drawn


def test_a_killed_one_is_no_obstacle(
    site: Path, free_port: int, running: subprocess.Popen[str]
) -> None:
    running.kill()
    running.wait()
    code, _, err = run(site, "demo", "--once", "--port", str(free_port))

    assert (code, err) == (0, "")


def test_a_busy_port_is_named_with_a_way_out(site: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, _, err = run(site, "demo", PORT=str(port))

    assert code == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in err
    assert "--port 8001" in err
    assert "Traceback" not in err


def test_it_refuses_where_debug_is_off(site: Path) -> None:
    code, _, err = run(site, "demo", DEBUG="off", SECRET_KEY="x" * 50)

    assert code == 1
    assert "this may be production" in err


def test_a_database_that_cannot_be_reached_is_a_message(site: Path, free_port: int) -> None:
    unreachable = f"postgres://nobody@127.0.0.1:{free_port}/none"
    code, _, err = run(site, "demo", "--port", str(free_port), DATABASE_URL=unreachable)

    assert code == 1
    assert "The database could not be prepared: " in err
    assert "Traceback" not in err


def test_a_postgresql_that_is_not_there_is_a_message(site: Path) -> None:
    code, _, err = run(site, "demo", FRAISEQL_POSTGRES="14")

    assert code == 1
    assert "No PostgreSQL 14 on this machine" in err
    assert "Traceback" not in err


def fake_python(folder: Path, body: str) -> dict[str, str]:
    """Return an environment whose only Python is a shell script."""
    for name in ("dirname", "sh"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    python = folder / "python3"
    python.write_text(f"#!/bin/sh\n{body}\n")
    python.chmod(0o755)
    return {"PATH": str(folder)}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("exit 1", "Python 3.11 or newer is needed, and none was found on PATH."),
        (
            'case "$2" in *ensurepip*) exit 1;; esac',
            "apt-get install python3-venv",
        ),
    ],
)
def test_the_script_says_which_python_it_needs(body: str, message: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [ROOT / "scripts" / "demo"],
        env=fake_python(tmp_path, body),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert message in done.stderr


def test_the_script_says_what_to_do_without_a_network(tmp_path: Path) -> None:
    for name in ("scripts", "setup.cfg", "setup.py", "pyproject.toml", "README.md"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    done = subprocess.run(
        [tmp_path / "scripts" / "demo"],
        env={"PATH": os.environ["PATH"], "PIP_NO_INDEX": "1", "FRAISEQL_PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "Without a network, point pip at a mirror" in done.stderr
    assert "Traceback" not in done.stderr
