"""What several integration tests need: a wheel of the checkout, a free port."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fraiseql.errors import EmbeddedServerError
from tests.conftest import NAMED, VERSIONS
from tests.standbys import Pair, pair_of_servers

ROOT = Path(__file__).resolve().parents[2]
BUILT = ("fraiseql", "project_template")
BUILT_FROM = ("LICENSE", "MANIFEST.in", "README.md", "pyproject.toml", "setup.cfg", "setup.py")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The distribution, built from a copy: the checkout stays clean."""
    work = tmp_path_factory.mktemp("wheel")
    source = work / "source"
    for folder in BUILT:
        shutil.copytree(
            ROOT / folder, source / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    for file in BUILT_FROM:
        shutil.copy(ROOT / file, source)
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        work,
        source,
    ]
    subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL)
    (built,) = work.glob("*.whl")
    return built


@pytest.fixture
def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture(scope="session", params=VERSIONS)
def pair(request: pytest.FixtureRequest, short_directory: Path) -> Iterator[Pair]:
    """A primary and a standby of each version; whoever stops one starts it again."""
    directory = short_directory / f"pair-{request.param}"
    directory.mkdir(mode=0o711)
    try:
        with pair_of_servers(directory, request.param) as found:
            yield found
    except EmbeddedServerError as error:
        if NAMED:
            raise
        pytest.skip(str(error))
