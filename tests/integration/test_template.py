"""A project started from the template, which an installed wheel has as the checkout does."""

import json
import os
import re
import secrets
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "DEBUG": "off",
    "SECRET_KEY": secrets.token_urlsafe(64),
    "DATABASE_URL": "postgres://shop:secret@db.example.org/shop",
    "ALLOWED_HOSTS": "shop.example.org",
    "CSRF_TRUSTED_ORIGINS": "https://shop.example.org",
}
SECRET = re.compile(r"django-insecure-[^\"']+")


@dataclass(frozen=True)
class Project:
    """A generated project and the interpreter that runs it."""

    directory: Path
    python: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the interpreter with Python's warnings as errors, in a bare environment."""
        return subprocess.run(
            [self.python, *arguments],
            cwd=self.directory,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def manage(self, *arguments: str, **variables: str) -> str:
        """Run ``manage.py`` to success; return what it printed on both streams."""
        done = self.run("manage.py", *arguments, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr


def install(wheel: Path, work: Path) -> Path:
    """
    Return the interpreter of a new environment that has ``wheel``.

    Its other packages are those of this environment, so that no network is needed.
    """
    home = work / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    python = home / "bin" / "python"
    packages = sysconfig.get_path("purelib", vars={"base": str(home)})
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--no-deps",
        "--quiet",
        wheel,
    ]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    # A plain path: the .pth files over there, editable installs among them, are not followed.
    Path(packages, "here.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return python


def start(work: Path, python: Path, **variables: str) -> Project:
    """Return a new project, as ``django-admin startproject`` leaves it."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in {"PATH", "HOME", "LANG", "LC_ALL", "FRAISEQL_ACCELERATOR"}
    } | {
        "PYTHONWARNINGS": "error",
        "FRAISEQL_POSTGRES": os.environ.get("FRAISEQL_TEST_POSTGRES", ""),
        **variables,
    }
    outside = Project(work, python, environment)
    template = outside.run("-m", "fraiseql", "template").stdout.strip()
    started = outside.run("-m", "django", "startproject", "shop", "--template", template)
    assert started.returncode == 0, started.stderr
    return Project(work / "shop", python, environment)


@pytest.fixture(scope="module")
def project(
    wheel: Path, short_directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    """A new project from the installed wheel, with a server of its own."""
    home = short_directory / "template"
    home.mkdir(mode=0o711)
    made = start(home, install(wheel, tmp_path_factory.mktemp("installed")))
    yield made
    made.manage("fraiseql_postgres", "stop")


def test_the_checkout_makes_the_same_project_with_another_secret(
    wheel: Path, tmp_path: Path
) -> None:
    folders = {}
    for origin in ("wheel", "checkout"):
        work = tmp_path / origin
        work.mkdir()
        if origin == "wheel":
            made = start(work, install(wheel, work))
        else:
            made = start(work, Path(sys.executable), PYTHONPATH=str(ROOT))
        files = (path for path in made.directory.rglob("*") if path.suffix != ".pyc")
        folders[origin] = {
            str(path.relative_to(made.directory)): path.read_text("utf-8")
            for path in files
            if path.is_file()
        }
    secrets_of = {origin: SECRET.findall(str(texts)) for origin, texts in folders.items()}

    assert secrets_of["wheel"]
    assert secrets_of["wheel"] != secrets_of["checkout"]
    without = [
        {name: SECRET.sub("", text) for name, text in texts.items()} for texts in folders.values()
    ]
    assert without[0] == without[1]


def test_its_own_tests_pass(project: Project) -> None:
    printed = project.manage("test")

    assert re.search(r"Ran [1-9]\d* tests", printed)
    assert printed.rstrip().endswith("Destroying test database for alias 'default'...")


def test_it_serves_its_first_query(project: Project, free_port: int) -> None:
    printed = project.manage("demo", "--once", "--port", str(free_port))
    answer = json.loads(printed[printed.index("\n{\n") : printed.index("\n}\n") + 2])

    names = [product["name"] for product in answer["data"]["products"]]
    assert len(names) == 2


def test_its_migration_goes_back_and_forth(project: Project) -> None:
    project.manage("migrate", "catalog", "zero")
    project.manage("migrate")

    assert "No changes detected" in project.manage("makemigrations", "--check", "--dry-run")


def test_the_deployment_check_is_clean_with_the_production_environment(project: Project) -> None:
    printed = project.manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)

    assert "no issues" in printed


def test_static_files_are_collected_for_production(project: Project) -> None:
    printed = project.manage("collectstatic", "--no-input", **PRODUCTION)

    assert "post-processed" in printed


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL"])
def test_production_refuses_to_start_without(name: str, project: Project) -> None:
    variables = {key: value for key, value in PRODUCTION.items() if key != name}
    refused = project.run("manage.py", "check", **variables)

    assert refused.returncode != 0
    assert f"Set the {name} environment variable" in refused.stderr


def test_debug_is_off_where_the_developers_file_is_not(project: Project) -> None:
    file = project.directory / ".env"
    text = file.read_text()
    file.unlink()
    variables = {key: value for key, value in PRODUCTION.items() if key != "DEBUG"}
    try:
        printed = project.manage(
            "shell",
            "-v0",
            "-c",
            "from django.conf import settings as s; print(s.DEBUG)",
            **variables,
        )
    finally:
        file.write_text(text)

    assert printed.strip() == "False"


def test_its_code_is_lint_free(project: Project) -> None:
    ruff = Path(sys.executable).with_name("ruff")
    settings = ["--config", str(ROOT / "pyproject.toml")]
    for command in (["check", "--ignore", "PT009"], ["format", "--check"]):
        done = subprocess.run(
            [ruff, *command, *settings, "."],
            cwd=project.directory,
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode == 0, done.stdout
