"""Random operations are larger than what a service takes."""

from collections.abc import Iterator

import pytest
from django.test import override_settings

NO_LIMITS = dict.fromkeys(
    ["MAX_COST", "MAX_TOKENS", "MAX_SELECTIONS", "MAX_FIELDS", "MAX_ALIASES", "MAX_DIRECTIVES"], 0
)


@pytest.fixture(scope="module", autouse=True)
def _without_limits() -> Iterator[None]:
    with override_settings(FRAISEQL=NO_LIMITS):
        yield
