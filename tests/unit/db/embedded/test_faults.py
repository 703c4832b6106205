import errno
from pathlib import Path

import pytest

from fraiseql.db.embedded.faults import explained, faults_named
from fraiseql.errors import EmbeddedServerError


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_named_with_what_is_left(tmp_path: Path, code: int) -> None:
    with (
        pytest.raises(EmbeddedServerError, match=rf"Cannot write: .* MB left at {tmp_path}"),
        faults_named("write"),
    ):
        raise OSError(code, "full", str(tmp_path / "missing" / "file"))


def test_other_faults_of_the_system_keep_their_words(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="No such file"), faults_named("read"):
        (tmp_path / "missing").read_text()


def test_the_servers_reasons_are_quoted_and_its_small_talk_is_not(tmp_path: Path) -> None:
    output = "LOG:  starting PostgreSQL\nFATAL:  no\n\nLOG:  database system is shut down\n"

    error = explained("start", tmp_path, output)

    assert error.message == "Cannot start. It said: FATAL:  no"
    assert error.hint == f"The log is {tmp_path}/log."


def test_without_a_reason_all_of_the_end_is_quoted(tmp_path: Path) -> None:
    assert explained("start", tmp_path, "waiting\nstopped\n").message.endswith("waiting | stopped")
    assert explained("start", tmp_path, "").message == "Cannot start."
