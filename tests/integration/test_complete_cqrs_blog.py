"""``examples/complete_cqrs_blog``: its own tests on each PostgreSQL, its migrations, its containers."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
BLOG = ROOT / "examples" / "complete_cqrs_blog"
COMPOSE: dict[str, Any] = yaml.safe_load((BLOG / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
EXAMPLE_ENVIRONMENT = (BLOG / ".env.example").read_text(encoding="utf-8")


def manage(uri: str, *arguments: str) -> str:
    """Run a command of the example; return what it prints."""
    kept = {"PATH", "HOME", "LANG", "LC_ALL", "FRAISEQL_ACCELERATOR"}
    environment = {name: value for name, value in os.environ.items() if name in kept}
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BLOG,
        env=environment | {"DATABASE_URL": uri, "DEBUG": "on", "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def grafana(server_uri: str) -> Iterator[psycopg.Connection]:
    """A session of the role that the container's script makes, the example migrated."""
    with psycopg.connect(server_uri, autocommit=True) as connection:
        connection.execute("CREATE ROLE grafana; GRANT grafana TO CURRENT_USER")
        manage(server_uri, "migrate", "-v0")
        connection.execute("SET ROLE grafana")
        yield connection
        connection.execute("RESET ROLE; DROP OWNED BY grafana; DROP ROLE grafana")


@pytest.mark.slow
def test_its_own_tests_pass(server_uri: str) -> None:
    manage(server_uri, "test", "--noinput")


@pytest.mark.slow
def test_migrations_go_back_and_forth_and_keep_no_remains(
    server_uri: str, grafana: psycopg.Connection
) -> None:
    manage(server_uri, "demo_data", "-v0")
    manage(server_uri, "migrate", "blog", "zero", "-v0")
    remains = grafana.execute(
        "SELECT relname FROM pg_class WHERE relname ~ '^(tb_(user|post|comment)|tv_|v_)'"
        " UNION ALL SELECT proname FROM pg_proc WHERE proname ~ '^fn_'"
    ).fetchall()
    manage(server_uri, "migrate", "-v0")
    manage(server_uri, "makemigrations", "--check", "--dry-run")

    assert remains == []


@pytest.mark.slow
def test_grafana_may_read_the_log_of_syncs_alone(grafana: psycopg.Connection) -> None:
    readable = grafana.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'v', 'm') AND has_table_privilege(oid, 'SELECT')"
    ).fetchall()

    assert readable == [("tb_sync_log",)]
    for board in sorted(BLOG.glob("docker/grafana/dashboards/*.json")):
        for title, query in queries(board):
            assert grafana.execute(query).description, title


def queries(board: Path) -> Iterator[tuple[str, bytes]]:
    """Yield each panel of a dashboard with its SQL, Grafana's macros replaced."""
    for panel in json.loads(board.read_text(encoding="utf-8"))["panels"]:
        for target in panel["targets"]:
            text = re.sub(r"\$__timeFilter\((\w+)\)", r"\1 > '-infinity'", target["rawSql"])
            assert "$" not in text
            yield panel["title"], text.encode()


# The containers


def test_what_is_mounted_and_built_is_there() -> None:
    mounted = [
        volume.split(":")[0]
        for service in SERVICES.values()
        for volume in service.get("volumes", [])
        if volume.startswith(".")
    ]
    context = (BLOG / SERVICES["app"]["build"]["context"]).resolve()

    assert [path for path in mounted if not (BLOG / path).is_dir()] == []
    assert context == ROOT
    assert (context / SERVICES["app"]["build"]["dockerfile"]).is_file()


def test_the_image_copies_what_the_build_is_given() -> None:
    copied = re.findall(r"^COPY (.+) \S+$", (BLOG / "Dockerfile").read_text(), flags=re.MULTILINE)
    paths = [path for line in copied for path in line.split()]
    ignored = (BLOG / "Dockerfile.dockerignore").read_text().splitlines()

    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert ignored[0] == "*"
    assert sorted(paths) == sorted(line[1:] for line in ignored if line.startswith("!"))


def test_every_variable_is_in_the_example_environment() -> None:
    named = set(re.findall(r"\$\{(\w+)", (BLOG / "docker-compose.yml").read_text()))
    read = set(re.findall(r'env\.\w+\("(\w+)"', (BLOG / "blog" / "settings.py").read_text()))
    example = set(re.findall(r"^(?:# )?([A-Z_]+)=", EXAMPLE_ENVIRONMENT, flags=re.MULTILINE))

    assert named | read == example


def test_services_wait_for_what_they_need_and_listen_on_this_machine_only() -> None:
    for name, service in SERVICES.items():
        for needed, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}, name
            assert "healthcheck" in SERVICES[needed]
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
    assert SERVICES["postgres"]["image"] == "postgres:17"


def test_docker_compose_takes_the_configuration(tmp_path: Path) -> None:
    compose = ["docker", "compose"]
    if (
        shutil.which("docker") is None
        or subprocess.run([*compose, "version"], capture_output=True, check=False).returncode
    ):
        pytest.skip("docker has no compose plugin here")
    (tmp_path / ".env").write_text(EXAMPLE_ENVIRONMENT)
    shutil.copy(BLOG / "docker-compose.yml", tmp_path)
    done = subprocess.run(
        [*compose, "config", "--quiet"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
