"""Which projector runs: the accelerator where it is installed and fits, else the reference."""

import platform
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from fraiseql.engine.result import reference
from fraiseql.errors import ConfigurationError
from fraiseql.schema.shape import CONTRACT_VERSION

MODULE: Final = "fraiseql_accelerator"
_INSTALL: Final = (
    "Install it with: pip install 'fraiseql-django[accelerator]', or set"
    " FRAISEQL['ACCELERATOR'] to 'auto' to run without it."
)


@dataclass(frozen=True)
class Implementation:
    """
    A projector. ``name``: accelerator or reference; ``version``: the accelerator's, or Python's.

    ``reason`` says why the accelerator does not run; "" if it does.
    """

    name: str
    version: str
    reason: str
    shape: type[reference.Shape]
    malformed_row: type[reference.MalformedRow]


def choose(mode: str, module: str = MODULE) -> Implementation:
    """
    Return the projector for ``mode`` (auto, require or off).

    Raises ConfigurationError if ``mode`` is require and ``module`` is missing, cannot be loaded or
    was built for another contract.
    """
    if mode == "off":
        return _reference("it is switched off")
    try:
        return _accelerator(module)
    except ImportError as error:
        if mode == "require":
            raise ConfigurationError(
                f"The accelerator is required and cannot be used: {error}.", hint=_INSTALL
            ) from error
        return _reference(str(error))


def _accelerator(module: str) -> Implementation:
    accelerator = import_module(module)
    contract = getattr(accelerator, "CONTRACT_VERSION", None)
    if contract != CONTRACT_VERSION:
        raise ImportError(
            f"{module} keeps contract {contract}, this package contract {CONTRACT_VERSION}"
        )
    return Implementation(
        name="accelerator",
        version=accelerator.__version__,
        reason="",
        shape=accelerator.Shape,
        malformed_row=accelerator.MalformedRow,
    )


def _reference(reason: str) -> Implementation:
    return Implementation(
        name="reference",
        version=platform.python_version(),
        reason=reason,
        shape=reference.Shape,
        malformed_row=reference.MalformedRow,
    )
