import os
from pathlib import Path

import pytest

from fraiseql.db.embedded import binaries
from fraiseql.db.embedded.binaries import Binaries, find_binaries, inspect
from fraiseql.errors import EmbeddedServerError


def install(directory: Path, program: str) -> Path:
    """Write an installation whose programs are the shell script ``program``."""
    directory.mkdir(parents=True)
    for name in ("initdb", "pg_ctl", "postgres"):
        (directory / name).write_text(f"#!/bin/sh\n{program}\n")
        (directory / name).chmod(0o755)
    return directory


@pytest.fixture(autouse=True)
def _nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("PG_BIN", "FRAISEQL_POSTGRES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}/path:{os.environ['PATH']}")
    monkeypatch.setattr(binaries, "SYSTEM", (f"{tmp_path}/postgresql/*/bin",))
    monkeypatch.setattr(binaries, "WHEEL", "no_such_wheel")
    (tmp_path / "path").mkdir()
    config = tmp_path / "path" / "pg_config"
    config.write_text(f"#!/bin/sh\necho {tmp_path}/configured\n")
    config.chmod(0o755)


def test_without_any_the_way_to_install_is_given() -> None:
    with pytest.raises(EmbeddedServerError, match="No PostgreSQL server programs") as caught:
        find_binaries()

    assert caught.value.hint
    assert "embedded" in caught.value.hint


def test_pg_config_comes_before_the_systems_newest(tmp_path: Path) -> None:
    for major in ("9.6", "16", "17"):
        install(
            tmp_path / "postgresql" / major / "bin", f"echo 'postgres (PostgreSQL) {major}.2 (x)'"
        )
    newest = find_binaries()
    install(tmp_path / "configured", "echo 'postgres (PostgreSQL) 15.1'")

    assert newest == Binaries(tmp_path / "postgresql/17/bin", "17.2")
    assert find_binaries() == Binaries(tmp_path / "configured", "15.1")
    assert find_binaries("16").major == 16


def test_one_that_is_too_old_is_passed_over_and_named(tmp_path: Path) -> None:
    install(tmp_path / "configured", "echo 'postgres (PostgreSQL) 14.9'")

    with pytest.raises(EmbeddedServerError, match=r"Found: 14\.9 in "):
        find_binaries()


def test_a_broken_pg_config_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "path" / "pg_config").write_text("#!/bin/sh\nexit 1\n")
    install(tmp_path / "configured", "echo 'postgres (PostgreSQL) 15.1'")

    with pytest.raises(EmbeddedServerError, match="No PostgreSQL"):
        find_binaries()


def test_programs_that_need_their_own_libraries_get_them(tmp_path: Path) -> None:
    program = f'test "$LD_LIBRARY_PATH" = "{tmp_path}/lib" && echo "postgres (PostgreSQL) 18beta1"'

    found = inspect(install(tmp_path / "bin", program))

    assert found == Binaries(tmp_path / "bin", "18beta1", f"{tmp_path}/lib")
    assert found.major == 18


def test_programs_that_do_not_run_are_none(tmp_path: Path) -> None:
    assert inspect(install(tmp_path / "bin", "exit 127")) is None


def test_a_program_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="has no program psql"):
        Binaries(tmp_path, "18.6").program("psql")
