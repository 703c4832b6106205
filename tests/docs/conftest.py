"""A database for each page, and the blog filled for those that ask it something."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from fraiseql.db.embedded import EmbeddedServer
from tests.docs.blocks import ROOT
from tests.docs.walk import Walk

BLOG = ROOT / "examples" / "complete_cqrs_blog"

NewDatabase = Callable[[str | None], str]


@pytest.fixture(scope="session")
def new_database(django_server: EmbeddedServer) -> Iterator[NewDatabase]:
    """Return a function that makes a database, like the one it is given, and returns its URI."""
    made: list[str] = []

    def make(like: str | None) -> str:
        name = f"docs_{uuid4().hex}"
        origin = like.rpartition("/")[2].partition("?")[0] if like else "template1"
        with psycopg.connect(django_server.uri(), autocommit=True) as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    sql.Identifier(name), sql.Identifier(origin)
                )
            )
        made.append(name)
        return django_server.uri(database=name)

    yield make
    with psycopg.connect(django_server.uri(), autocommit=True) as connection:
        for name in made:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )


@pytest.fixture
def empty_walk(new_database: NewDatabase, tmp_path: Path) -> Iterator[Walk]:
    """A reader in an empty folder, with an empty database."""
    walk = Walk(tmp_path, new_database(None))
    yield walk
    walk.stop()


@pytest.fixture
def empty_blog(new_database: NewDatabase, tmp_path: Path) -> Iterator[Walk]:
    """A reader in the blog's folder, with an empty database."""
    walk = Walk(copy_of_blog(tmp_path / "site"), new_database(None))
    yield walk
    walk.stop()


@pytest.fixture(scope="session")
def filled_blog(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Walk:
    """The blog with its demonstration data; copied, never changed."""
    folder = copy_of_blog(tmp_path_factory.mktemp("blog") / "site")
    walk = Walk(folder, new_database(None))
    for command in ("migrate", "demo_data", "fraiseql_sync"):
        subprocess.run(
            [sys.executable, "manage.py", command, "-v0"],
            cwd=folder,
            env=walk.environment,
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
        )
    return walk


@pytest.fixture
def blog_walk(
    filled_blog: Walk, new_database: NewDatabase, short_directory: Path
) -> Iterator[Walk]:
    """A reader in the blog's folder, with its data, where a private server may be too."""
    home = short_directory / uuid4().hex[:8]
    home.mkdir(mode=0o711)
    folder = home / "site"
    shutil.copytree(filled_blog.folder, folder)
    walk = Walk(folder, new_database(filled_blog.database_url))
    yield walk
    walk.stop()


def copy_of_blog(folder: Path) -> Path:
    """Copy the example as it is in the repository; return ``folder``."""
    ignored = shutil.ignore_patterns("__pycache__", ".*", "staticfiles")
    shutil.copytree(BLOG, folder, ignore=ignored)
    return folder
