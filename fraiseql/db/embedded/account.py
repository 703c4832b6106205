"""
The operating system user a private server runs as.

PostgreSQL refuses to run as root. Root hands over to the owner of the data, else to the owner of
the project, else to ``postgres``, else to ``nobody``; anyone else runs the server as himself.
"""

import os
import pwd
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fraiseql.db.embedded.programs import Identity, run
from fraiseql.errors import EmbeddedServerError

_UNPRIVILEGED = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """``identity`` is None when the server runs as the current user."""

    name: str
    uid: int
    identity: Identity | None

    def run(
        self,
        command: Sequence[str],
        *,
        directory: Path,
        libraries: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> tuple[int, str]:
        """Run a program as this user; return its exit code and output."""
        return run(
            command,
            identity=self.identity,
            libraries=libraries,
            directory=directory,
            environment=environment,
        )

    def may_enter(self, path: Path) -> bool:
        """
        Return whether this user can use what is in the directory (or run the program) ``path``.
        """
        if self.identity is None:
            return os.access(path, os.X_OK)
        try:
            # The kernel is asked, since mode bits do not tell of access lists.
            return (
                run(["test", "-x", str(path)], identity=self.identity, directory=Path("/"))[0] == 0
            )
        except PermissionError as error:
            raise EmbeddedServerError(
                f"PostgreSQL does not run as root, and root may not become {self.name!r} here.",
                hint="Start as an ordinary user, or set DATABASE_URL.",
            ) from error

    def own(self, path: Path) -> None:
        """Give ``path`` to this user."""
        if self.identity is not None:
            os.chown(path, self.identity.uid, self.identity.gid)


def account_for(directory: Path) -> Account:
    """Return who runs the server whose state is, or will be, in ``directory``."""
    uid = os.geteuid()
    if uid != 0:
        return Account(_name(uid), uid, None)
    entry = _owner(directory) or _unprivileged()
    groups = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))
    return Account(entry.pw_name, entry.pw_uid, Identity(entry.pw_uid, entry.pw_gid, groups))


def _owner(directory: Path) -> pwd.struct_passwd | None:
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    uid = existing.stat().st_uid
    try:
        return pwd.getpwuid(uid) if uid != 0 else None
    except KeyError:
        return None  # a volume from another machine: nobody here has that number


def _unprivileged() -> pwd.struct_passwd:
    for name in _UNPRIVILEGED:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise EmbeddedServerError(
        "PostgreSQL does not run as root, and there is neither a user postgres nor nobody.",
        hint="Create one (useradd --system postgres), or start as an ordinary user.",
    )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError as error:
        # initdb and postgres stop at the same point, with less to go on.
        raise EmbeddedServerError(
            f"User number {uid} has no name on this machine, which PostgreSQL demands.",
            hint="Add it to /etc/passwd, run as another user, or set DATABASE_URL.",
        ) from error
