"""What each peer is installed in: a folder of the cache, made once for each state of its requirements."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.dataset import cache_directory

PEERS = Path(__file__).with_name("peers")
_PYTHON = "# python: "


class NotInstalled(RuntimeError):
    """A peer cannot be installed here."""


def environment(peer: str) -> Path:
    """Return the folder ``peer`` is installed in: a virtual environment, or the parent of node_modules."""
    folder = PEERS / peer
    listing = next(
        path for name in ("requirements.txt", "package.json") if (path := folder / name).exists()
    )
    fingerprint = hashlib.sha256(listing.read_bytes()).hexdigest()[:12]
    target = cache_directory() / "environments" / f"{peer}-{fingerprint}"
    done = target / "installed"
    if not done.exists():
        print(f"Installing {peer} into {target}, once ...", file=sys.stderr, flush=True)
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        (_npm if listing.suffix == ".json" else _pip)(listing, target)
        done.touch()
    return target


def pinned() -> list[str]:
    """Return what the peers are made of, with versions as they are asked for."""
    found = []
    for listing in sorted(PEERS.glob("*/requirements.txt")):
        lines = listing.read_text().splitlines()
        found += [line.replace("==", " ") for line in lines if not line.startswith("#")]
    for listing in sorted(PEERS.glob("*/package.json")):
        wanted = json.loads(listing.read_text())["dependencies"]
        found += [f"{name} {version}" for name, version in wanted.items()]
    return sorted(set(found), key=str.lower)


def _pip(listing: Path, target: Path) -> None:
    # Not moved once made: a virtual environment knows its own path.
    first = listing.read_text().partition("\n")[0]
    python = _python(first.removeprefix(_PYTHON)) if first.startswith(_PYTHON) else sys.executable
    _run([python, "-m", "venv", target])
    _run([target / "bin" / "python", "-m", "pip", "install", "-q", "-r", listing])


def _npm(listing: Path, target: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise NotInstalled(f"{listing.parent.name} needs npm, which brings it its own Node.")
    shutil.copy(listing, target)
    _run([npm, "install", "--no-audit", "--no-fund", "--prefix", target])


def _python(version: str) -> str:
    """Return an interpreter of a version: on the path, or one of pyenv's, whose shims may lead nowhere."""
    pyenv = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"), reverse=True)
    for candidate in (shutil.which(f"python{version}"), *map(str, pyenv)):
        if candidate and not subprocess.run([candidate, "-V"], capture_output=True).returncode:
            return candidate
    raise NotInstalled(f"This peer needs Python {version}.")


def _run(command: list[str | Path]) -> None:
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise NotInstalled(f"{command[0]} failed:\n{answer.stdout}{answer.stderr}")
