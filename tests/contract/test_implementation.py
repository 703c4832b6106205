"""Which projector runs."""

from pathlib import Path

import pytest
from django.test import override_settings

from fraiseql.conf import get_settings
from fraiseql.engine import result
from fraiseql.engine.result import reference
from fraiseql.engine.result.implementation import Implementation, choose
from fraiseql.errors import ConfigurationError
from fraiseql.schema.shape import CONTRACT_VERSION


@pytest.fixture
def misfit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of an accelerator that was built for another contract."""
    (tmp_path / "misfit_accelerator.py").write_text(
        f"CONTRACT_VERSION = {CONTRACT_VERSION + 1}\n__version__ = '9.9'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return "misfit_accelerator"


def test_off_runs_the_reference() -> None:
    chosen = choose("off")

    assert (chosen.name, chosen.reason) == ("reference", "it is switched off")
    assert chosen.shape is reference.Shape
    assert chosen.malformed_row is reference.MalformedRow


def test_auto_runs_the_reference_where_there_is_no_accelerator() -> None:
    chosen = choose("auto", "no_such_accelerator")

    assert chosen.name == "reference"
    assert "no_such_accelerator" in chosen.reason


def test_require_refuses_to_run_without_the_accelerator() -> None:
    with pytest.raises(ConfigurationError, match="no_such_accelerator") as caught:
        choose("require", "no_such_accelerator")

    assert caught.value.hint is not None
    assert "pip install 'fraiseql-django[accelerator]'" in caught.value.hint


def test_auto_does_not_run_an_accelerator_of_another_contract(misfit: str) -> None:
    chosen = choose("auto", misfit)

    assert chosen.name == "reference"
    assert f"contract {CONTRACT_VERSION + 1}" in chosen.reason


def test_require_refuses_an_accelerator_of_another_contract(misfit: str) -> None:
    with pytest.raises(ConfigurationError, match=f"contract {CONTRACT_VERSION + 1}"):
        choose("require", misfit)


def test_the_accelerator_runs_where_it_fits(accelerator: Implementation) -> None:
    assert (accelerator.name, accelerator.reason) == ("accelerator", "")
    assert accelerator.version.count(".") == 2
    assert choose("auto") == accelerator


@override_settings(FRAISEQL={})
def test_the_setting_decides_what_the_room_exports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAISEQL_ACCELERATOR", "off")
    get_settings.cache_clear()
    result.implementation.cache_clear()
    try:
        assert result.implementation() == choose("off")
        assert result.Shape is reference.Shape
        assert result.MalformedRow is reference.MalformedRow
    finally:
        get_settings.cache_clear()
        result.implementation.cache_clear()


def test_the_room_exports_nothing_else() -> None:
    with pytest.raises(AttributeError, match="Projector"):
        _ = result.Projector
