"""
Make ``.venv`` hold what a program of this folder needs: ``environment.py EXTRA...``.

Standard library only, since nothing is installed yet. What was installed is noted in the environment, so
that a second run starts at once and needs no network.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".venv"
PYTHON = HOME / "bin" / "python"
NOTE = HOME / "fraiseql.json"
ACCELERATOR = ROOT / "accelerator"


def main(extras: list[str]) -> None:
    """Bring the environment up to date; one process at a time."""
    with (ROOT / ".venv.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another program is installing into .venv; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        create()
        note = read_note()
        install(extras, note)
        accelerate(note)


def create() -> None:
    """Make the environment, anew if its interpreter is gone or too old."""
    found = version_of(PYTHON)
    if found is not None and found >= [3, 11]:
        return
    say(f"Creating .venv with Python {sys.version_info.major}.{sys.version_info.minor}.")
    venv.EnvBuilder(with_pip=True, clear=True, symlinks=True).create(HOME)


def version_of(python: Path) -> list[int] | None:
    """Return the interpreter's [major, minor], or None if it does not run."""
    program = "import json, sys; print(json.dumps(sys.version_info[:2]))"
    try:
        printed = subprocess.run([python, "-c", program], capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    version: list[int] = json.loads(printed)
    return version


def install(extras: list[str], note: dict[str, object]) -> None:
    """Install the checkout itself with ``extras``, beside those that are there."""
    declared = digest([ROOT / "setup.cfg", ROOT / "setup.py"])
    known = note.get("extras", [])
    there = known if isinstance(known, list) and note.get("declared") == declared else []
    if there and set(extras) <= set(there):
        return
    wanted = sorted({*there, *extras})
    say(f"Installing fraiseql-django[{','.join(wanted)}] into .venv.")
    failure = pip("install", "--editable", f"{ROOT}[{','.join(wanted)}]")
    if failure is not None:
        stop(
            f"pip could not install what is needed:\n\n{failure}\n\n"
            "Without a network, point pip at a mirror (PIP_INDEX_URL) or at a folder of wheels\n"
            "(PIP_NO_INDEX=1 PIP_FIND_LINKS=folder), and run this again."
        )
    note |= {"declared": declared, "extras": wanted}
    NOTE.write_text(json.dumps(note), encoding="utf-8")


def accelerate(note: dict[str, object]) -> None:
    """Build the accelerator where Rust is there; say whether there is one."""
    cargo = shutil.which("cargo")
    sources = sorted(
        path
        for pattern in ("*.toml", "Cargo.lock", "*.rs", "*.py*")
        for path in ACCELERATOR.rglob(pattern)
        if "target" not in path.relative_to(ACCELERATOR).parts
    )
    if os.environ.get("FRAISEQL_ACCELERATOR") == "off":
        say("Accelerator: off (FRAISEQL_ACCELERATOR).")
        return
    if not sources or cargo is None:
        say(
            "Accelerator: no, for want of a Rust toolchain (cargo). Pure Python answers the same, slower."
        )
        return
    built = digest(sources)
    if note.get("accelerator") != built:
        say("Building the accelerator with cargo.")
        failure = pip("install", "--force-reinstall", "--no-deps", str(ACCELERATOR))
        if failure is not None:
            say(
                f"{failure}\n\nAccelerator: no, its build failed as above. Pure Python answers the same, slower."
            )
            return
        NOTE.write_text(json.dumps(note | {"accelerator": built}), encoding="utf-8")
    say("Accelerator: yes.")


def pip(*arguments: str) -> str | None:
    """Run pip in the environment; return the end of what it said if it failed."""
    command: list[str | Path] = [
        PYTHON,
        "-m",
        "pip",
        "--quiet",
        "--disable-pip-version-check",
        *arguments,
    ]
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return "\n".join(done.stdout.splitlines()[-15:]) if done.returncode else None


def read_note() -> dict[str, object]:
    """Return what an earlier run installed; empty for a new or foreign environment."""
    try:
        note = json.loads(NOTE.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def digest(files: list[Path]) -> str:
    """Return one hash over the contents of ``files``."""
    total = hashlib.sha256()
    for file in files:
        total.update(file.read_bytes())
    return total.hexdigest()


def say(message: str) -> None:
    """Print at once, so that progress is seen through a pipe too."""
    print(message, flush=True)


def stop(message: str) -> NoReturn:
    """End with a message and no stack trace."""
    print(message, file=sys.stderr)
    raise SystemExit(1)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        stop("Stopped. What was installed stays; run this again to go on.")
    except OSError as error:
        stop(
            f"Cannot prepare .venv: {error}. With space on the disk and the right to write here, run this again."
        )
    except subprocess.CalledProcessError as error:
        stop(f"Cannot create .venv: {error}.")
