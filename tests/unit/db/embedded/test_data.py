import os
import shutil
from pathlib import Path

import pytest

from fraiseql.db.embedded import data, programs
from fraiseql.db.embedded.places import Places
from fraiseql.errors import EmbeddedServerError


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Places:
    """A server killed with process 7 left, as /proc shows it."""
    places = Places(tmp_path / "state")
    places.data.mkdir(parents=True)
    for name in ("self", "7"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "stat").write_text("7 (postgres) S 1")
    (tmp_path / "7" / "cwd").symlink_to(places.data)
    monkeypatch.setattr(programs, "PROC", tmp_path)
    return places


def test_a_process_that_cannot_be_ended_keeps_the_data_shut(
    killed: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    (killed.data / "postmaster.pid").touch()
    monkeypatch.setattr(os, "kill", lambda _pid, _signal: None)
    monkeypatch.setattr(data, "QUIT_S", 0.1)

    with pytest.raises(EmbeddedServerError, match=r"Processes \[7\] of a killed server"):
        data.clear_remains(killed)

    assert (killed.data / "postmaster.pid").exists()


def test_a_process_that_ends_by_itself_is_not_waited_for(
    killed: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_pid: int, _signal: int) -> None:
        shutil.rmtree(programs.PROC / "7")
        raise ProcessLookupError

    (killed.data / "postmaster.pid").touch()
    monkeypatch.setattr(os, "kill", gone)

    data.clear_remains(killed)

    assert not (killed.data / "postmaster.pid").exists()


def test_where_processes_cannot_be_looked_at_postgresql_decides_on_its_pid_file(
    killed: Places, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (killed.data / "postmaster.pid").touch()
    monkeypatch.setattr(programs, "PROC", tmp_path / "none")

    data.clear_remains(killed)

    assert (killed.data / "postmaster.pid").exists()
