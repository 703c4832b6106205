"""Which projector runs: the accelerator where it is installed and fits, else the reference."""

import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Final, Protocol

from fraiseql.db import libpq
from fraiseql.db.flight import Step
from fraiseql.db.rows import Rows
from fraiseql.engine.result import reference
from fraiseql.errors import ConfigurationError
from fraiseql.schema.shape import CONTRACT_VERSION

MODULE: Final = "fraiseql_accelerator"
_INSTALL: Final = (
    "Install it with: pip install 'fraiseql-django[accelerator]', or set"
    " FRAISEQL['ACCELERATOR'] to 'auto' to run without it."
)


class Forms(Protocol):
    """What the variables of one operation may look like, and what answers each."""

    def keep(self, form: Any, text: str, params: Sequence[bytes | None], known: Any) -> None:
        """Keep what answers requests whose variables have a form, if there is room. See ``engine/forms.py``."""

    def clear(self) -> None:
        """Forget all of it."""


class Binder(Protocol):
    """The forms of operations, by how bodies spell their documents and names."""

    def keep(self, body: bytes, forms: Any) -> None:
        """Know the forms of requests that ask for the same as ``body``."""

    def bind(self, body: bytes) -> tuple[Step, Any] | None:
        """Return the step that answers a body and what is known of it; None if it fits no form."""


class Results(Protocol):
    """What reads rows where libpq has them."""

    def respond(self, shape: Any, member: bytes, rows: Rows) -> bytes | None:
        """Return what ``shape.respond`` makes of the first column of ``rows``."""


@dataclass(frozen=True)
class Implementation:
    """
    A projector. ``name``: accelerator or reference; ``version``: the accelerator's, or Python's.

    ``reason`` says why the accelerator does not run; "" if it does. ``forms``, ``binder``: only it has them,
    and ``results`` where libpq can be reached.
    """

    name: str
    version: str
    reason: str
    shape: type[reference.Shape]
    malformed_row: type[reference.MalformedRow]
    forms: Callable[[], Forms] | None = None
    binder: Callable[[int], Binder] | None = None
    results: Results | None = field(default=None, compare=False)


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
        forms=accelerator.Forms,
        binder=accelerator.Binder,
        results=accelerator.Results(*libpq.readers) if libpq.readers else None,
    )


def _reference(reason: str) -> Implementation:
    return Implementation(
        name="reference",
        version=platform.python_version(),
        reason=reason,
        shape=reference.Shape,
        malformed_row=reference.MalformedRow,
    )
