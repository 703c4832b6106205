"""SQL that stands in files: one statement a file, in the ``sql`` folder of the package that runs it."""

from functools import cache
from importlib.resources import files


@cache
def sql_text(package: str, name: str) -> str:
    """Return the text of ``sql/<name>.sql`` in ``package``."""
    return files(package).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
