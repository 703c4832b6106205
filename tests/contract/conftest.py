"""Every test here runs once per projector."""

import os

import pytest

from fraiseql.engine.result.implementation import Implementation, choose
from fraiseql.errors import ConfigurationError


@pytest.fixture(params=["reference", "accelerator"], scope="session")
def projector(request: pytest.FixtureRequest) -> Implementation:
    """Return one projector, then the other; the accelerator may be missing unless it is required."""
    if request.param == "reference":
        return choose("off")
    try:
        return choose("require")
    except ConfigurationError as error:
        if os.environ.get("FRAISEQL_ACCELERATOR") == "require":
            raise
        pytest.skip(error.message)
