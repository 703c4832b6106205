"""What has been declared."""

import enum
from typing import Any

import pytest

import fraiseql
from fraiseql.errors import ConfigurationError
from fraiseql.schema import registry
from fraiseql.schema.registry import Registry


def class_called(name: str, module: str = "one", **namespace: Any) -> Any:
    return type(name, (), {"__module__": module, "__annotations__": {"id": int}, **namespace})


def test_isolated_registries_nest_and_leave_nothing(declared: Registry) -> None:
    with registry.isolated() as inner:
        fraiseql.type(class_called("Maker"))
        assert registry.current() is inner

    assert registry.current() is declared
    assert not declared.objects


def test_every_declaration_makes_a_new_version(declared: Registry) -> None:
    @fraiseql.enum
    class Grade(enum.Enum):
        LOW = 1

    fraiseql.type(class_called("Maker"))
    fraiseql.input(class_called("Box"))

    @fraiseql.query
    def one(info: Any) -> int:
        return 1

    assert declared.version == 4
    assert set(declared.by_name()) == {"Grade", "Maker", "Box"}


@pytest.mark.parametrize("second", [fraiseql.type, fraiseql.input])
def test_two_classes_may_not_share_a_name(declared: Registry, second: Any) -> None:
    fraiseql.type(class_called("Maker"))
    with pytest.raises(ConfigurationError, match=r"'Maker': one\.Maker and two\.Maker") as caught:
        second(class_called("Maker", "two"))

    assert "name=" in str(caught.value.hint)


def test_a_module_may_be_loaded_again(declared: Registry) -> None:
    first, second = class_called("Maker"), class_called("Maker")
    fraiseql.type(first)
    fraiseql.type(second)

    assert list(declared.objects) == [second]


def test_two_queries_may_not_share_a_field(declared: Registry) -> None:
    maker = fraiseql.type(view="v_maker")(class_called("Maker"))

    class Query(fraiseql.Query):
        makers = fraiseql.many(maker)

    with pytest.raises(
        ConfigurationError, match=r"'makers' is declared twice: in .*Query and in .*Other"
    ):

        class Other(fraiseql.Query):
            makers = fraiseql.many(maker)


def test_a_function_may_not_take_a_bound_field_s_name(declared: Registry) -> None:
    maker = fraiseql.type(view="v_maker")(class_called("Maker"))

    class Query(fraiseql.Query):
        makers = fraiseql.many(maker)

    with pytest.raises(ConfigurationError, match="'makers' is declared twice"):

        @fraiseql.query
        def makers(info: Any) -> int:
            return 1


def test_a_bound_field_may_not_take_a_function_s_name(declared: Registry) -> None:
    maker = fraiseql.type(view="v_maker")(class_called("Maker"))

    @fraiseql.query
    def makers(info: Any) -> int:
        return 1

    with pytest.raises(ConfigurationError, match="'makers' is declared twice"):
        type("Query", (fraiseql.Query,), {"makers": fraiseql.many(maker)})
