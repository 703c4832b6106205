"""Every test here runs once per projector; some hold the accelerator to the reference."""

import os

import pytest

from fraiseql.engine.result.implementation import Implementation, choose
from fraiseql.errors import ConfigurationError


@pytest.fixture(scope="session")
def accelerator() -> Implementation:
    """Return the accelerator. It may be missing, unless FRAISEQL_ACCELERATOR requires it."""
    try:
        return choose("require")
    except ConfigurationError as error:
        if os.environ.get("FRAISEQL_ACCELERATOR") == "require":
            raise
        pytest.skip(error.message)


@pytest.fixture(params=["reference", "accelerator"], scope="session")
def projector(request: pytest.FixtureRequest) -> Implementation:
    """Return one projector, then the other."""
    if request.param == "reference":
        return choose("off")
    found: Implementation = request.getfixturevalue("accelerator")
    return found
