"""
Every test here runs once per projector; some hold the accelerator to the reference.

The accelerator may be missing, unless FRAISEQL_ACCELERATOR requires it.
"""

import os

import pytest

from fraiseql.engine.result.implementation import Implementation, choose

_REQUIRED = os.environ.get("FRAISEQL_ACCELERATOR") == "require"
_AUTO = choose("auto")
_MODES = {"reference": "off"}
if _REQUIRED or _AUTO.name == "accelerator":
    _MODES["accelerator"] = "require"


@pytest.fixture(scope="session")
def accelerator() -> Implementation:
    """Return the accelerator."""
    if "accelerator" not in _MODES:
        pytest.skip(f"no accelerator: {_AUTO.reason}")
    return choose("require")


@pytest.fixture(params=_MODES, scope="session")
def projector(request: pytest.FixtureRequest) -> Implementation:
    """Return one projector, then the other."""
    return choose(_MODES[request.param])
