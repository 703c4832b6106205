import os
import pwd
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

from fraiseql.db.embedded.account import account_for
from fraiseql.errors import EmbeddedServerError

ONLY_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


def test_an_ordinary_user_runs_the_server_himself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    nobody = pwd.getpwnam("nobody")
    monkeypatch.setattr(os, "geteuid", lambda: nobody.pw_uid)

    account = account_for(tmp_path)

    assert (account.name, account.uid, account.identity) == ("nobody", nobody.pw_uid, None)
    assert account.may_enter(tmp_path)
    assert not account.may_enter(tmp_path / "missing")
    owner = tmp_path.stat().st_uid
    account.own(tmp_path)
    assert tmp_path.stat().st_uid == owner


def test_a_user_without_a_name_is_told_what_postgresql_demands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 54321)

    with pytest.raises(EmbeddedServerError, match="User number 54321 has no name"):
        account_for(tmp_path)


@ONLY_ROOT
def test_root_hands_over_to_the_nearest_owner_who_is_not_root(tmp_path: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(tmp_path, nobody.pw_uid, nobody.pw_gid)

    account = account_for(tmp_path / "not" / "yet" / "there")

    assert account.name == "nobody"
    assert account.identity
    assert account.identity.gid == nobody.pw_gid


@ONLY_ROOT
@pytest.mark.parametrize("owner", [0, 54321])
def test_root_hands_over_to_an_unprivileged_user_where_the_owner_is_none(
    tmp_path: Path, owner: int
) -> None:
    os.chown(tmp_path, owner, -1)

    assert account_for(tmp_path).name in {"postgres", "nobody"}


@ONLY_ROOT
def test_a_machine_without_unprivileged_users_is_told_to_make_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def nobody_is_known(name: str) -> NoReturn:
        raise KeyError(name)

    monkeypatch.setattr(pwd, "getpwnam", nobody_is_known)

    with pytest.raises(EmbeddedServerError, match="neither a user postgres nor nobody"):
        account_for(tmp_path)


@ONLY_ROOT
def test_root_that_may_not_become_another_user_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def not_permitted(*_: object, **__: object) -> NoReturn:
        raise PermissionError(1, "Operation not permitted")

    account = account_for(tmp_path)
    monkeypatch.setattr(subprocess, "run", not_permitted)  # as in a container without CAP_SETUID

    with pytest.raises(EmbeddedServerError, match="root may not become"):
        account.may_enter(tmp_path)
