"""The generated pages of the reference are as the code says."""

import pytest

from fraiseql import errors
from scripts import reference

MADE = reference.reference()


@pytest.mark.parametrize("name", MADE)
def test_the_page_is_as_the_code_says(name: str) -> None:
    path = reference.FOLDER / name
    stored = path.read_text(encoding="utf-8") if path.exists() else None

    assert stored == MADE[name], f"{path.name} is stale. Run: python scripts/reference.py"


def test_no_page_is_left_behind() -> None:
    stored = {path.name for path in reference.generated()}

    assert stored == set(MADE), "Run: python scripts/reference.py"


def test_every_code_is_on_the_closed_list() -> None:
    used = {
        kind.code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.FraiseQLError)
    }

    assert used <= set(reference.CODES)


def test_every_scalar_takes_some_json() -> None:
    silent = [row.name for row in reference.rows_of_scalars() if not reference.accepted(row)]

    assert silent == []
