import os
from pathlib import Path
from typing import NoReturn

import pytest

from fraiseql.db.embedded import programs


def test_a_process_that_is_not_postgresql_is_no_server_process(tmp_path: Path) -> None:
    assert not programs.is_server_process(os.getpid(), tmp_path)


def test_a_number_that_no_process_has_is_no_server_process(tmp_path: Path) -> None:
    assert not programs.is_server_process(2**22 + 1, tmp_path)


def test_where_processes_cannot_be_looked_at_any_live_one_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(programs, "PROC", tmp_path)

    assert programs.is_server_process(os.getpid(), tmp_path)
    assert programs.orphans(tmp_path) == []


@pytest.mark.parametrize(
    ("stat", "expected"),
    [
        ("7 (postgres) S 1", [7]),
        ("7 (postgres) Z 1", []),
        ("7 (sh) S 1", []),
        ("7 (odd) name) S 1", []),
    ],
)
def test_orphans_are_live_postgres_processes_that_work_in_the_data(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, stat: str, expected: list[int]
) -> None:
    for name in ("self", "7", "8"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "stat").write_text(stat)
    (tmp_path / "7" / "cwd").symlink_to(tmp_path)
    (tmp_path / "8" / "cwd").symlink_to("/")
    (tmp_path / "9").mkdir()  # ended while being looked at
    monkeypatch.setattr(programs, "PROC", tmp_path)

    assert programs.orphans(tmp_path) == expected


def test_programs_are_run_in_english_without_the_users_own_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PGPORT", "1")

    code, output = programs.run(["env"], libraries="/somewhere")

    lines = output.splitlines()
    assert code == 0
    assert "LC_ALL=C" in lines
    assert "LD_LIBRARY_PATH=/somewhere" in lines
    assert not [line for line in lines if line.startswith("PGPORT")]


def _refuse(*_: object) -> NoReturn:
    raise PermissionError


def test_another_users_process_is_alive_and_may_be_the_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("self", "7"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "stat").write_text("7 (postgres) S 1")
    monkeypatch.setattr(programs, "PROC", tmp_path)
    monkeypatch.setattr(os, "kill", _refuse)
    monkeypatch.setattr(os.path, "samefile", _refuse)

    assert programs.is_server_process(7, tmp_path)
    assert programs.orphans(tmp_path) == []


def test_a_process_whose_data_was_deleted_is_not_the_server_of_new_data(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("self", "7"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "stat").write_text("7 (postgres) S 1")
    (tmp_path / "7" / "cwd").symlink_to(tmp_path / "gone (deleted)")
    monkeypatch.setattr(programs, "PROC", tmp_path)

    assert programs.orphans(tmp_path) == []
