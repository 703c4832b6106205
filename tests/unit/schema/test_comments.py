"""Descriptions of attributes, from the source."""

import importlib.util
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import ModuleType

import pytest

from fraiseql.schema.comments import attribute_descriptions

SOURCE = '''\
"""A module."""
import sys


class Maker:
    """A maker."""

    # What people
    # call it.
    name: str
    country: str  # Two letters.
    founded: int
    """
    The year,
    as a number.
    """
    #: Marked for Sphinx.
    office: str
    plain: str
    # noqa: E501
    quiet: str  # type: ignore
    first = 1  # An assignment.
    # Not of the next attribute.

    apart: str
    both: str  # beside
    """below"""
    x.y = 1

    def method(self) -> None:
        class Local:
            # In a method.
            value: int

    class Inner:
        value: int  # Of the inner class.


if sys:
    class Conditional:
        value: int  # Under a condition.


def make():
    class Made:
        value: int  # In a function.
    return Made
'''


@pytest.fixture
def module(tmp_path: Path) -> ModuleType:
    """The source as an imported module."""
    file = tmp_path / "described.py"
    file.write_text(SOURCE.replace("    x.y = 1\n", "    x = type(sys)('x')\n    x.y = 1\n"))
    spec = importlib.util.spec_from_file_location("described", file)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    # inspect finds a class's file through its module.
    sys.modules["described"] = made
    return made


def test_the_three_forms(module: ModuleType) -> None:
    assert attribute_descriptions(module.Maker) == {
        "name": "What people\ncall it.",
        "country": "Two letters.",
        "founded": "The year,\nas a number.",
        "office": "Marked for Sphinx.",
        "first": "An assignment.",
        "both": "below",
    }


def test_classes_inside_others_functions_and_conditions(module: ModuleType) -> None:
    assert attribute_descriptions(module.Maker.Inner) == {"value": "Of the inner class."}
    assert attribute_descriptions(module.Conditional) == {"value": "Under a condition."}
    assert attribute_descriptions(module.make()) == {"value": "In a function."}


def test_a_class_without_source_has_none() -> None:
    assert attribute_descriptions(int) == {}
    assert attribute_descriptions(type("Made", (), {"__module__": "nowhere"})) == {}


def test_a_compiled_module_has_none(module: ModuleType) -> None:
    module.__file__ = f"described{EXTENSION_SUFFIXES[0]}"

    assert attribute_descriptions(type("Maker", (), {"__module__": "described"})) == {}


def test_a_file_that_is_no_python_has_none(tmp_path: Path, module: ModuleType) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("class (")
    module.__file__ = str(broken)
    made = type("Maker", (), {"__module__": "described"})

    assert attribute_descriptions(made) == {}


def test_a_file_without_comments(tmp_path: Path, module: ModuleType) -> None:
    bare = tmp_path / "bare.py"
    bare.write_text("class Maker:\n    name: str\n")
    module.__file__ = str(bare)

    assert attribute_descriptions(type("Maker", (), {"__module__": "described"})) == {}
