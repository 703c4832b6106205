"""Python names to GraphQL names."""

import pytest

from fraiseql.errors import ConfigurationError
from fraiseql.schema.names import NameTable, camel_case, check_name, pascal_case


@pytest.mark.parametrize(
    ("python", "graphql"),
    [
        ("name", "name"),
        ("created_at", "createdAt"),
        ("address_line_1", "addressLine1"),
        ("ipv4_address", "ipv4Address"),
        ("dns_1_id", "dns1Id"),
        ("a_b_c", "aBC"),
        ("_private", "_private"),
        ("_private_part", "_privatePart"),
        ("already_HTTP", "alreadyHTTP"),
        ("trailing_", "trailing"),
        ("double__line", "doubleLine"),
        ("x1_y2", "x1Y2"),
    ],
)
def test_camel_case(python: str, graphql: str) -> None:
    assert camel_case(python) == graphql


def test_pascal_case() -> None:
    assert pascal_case("create_post_2") == "CreatePost2"


@pytest.mark.parametrize("name", ["1st", "naïve", "a-b", "", "a b", "x\n"])
def test_what_graphql_does_not_allow_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"Maker: .* is not a GraphQL name"):
        check_name(name, "Maker")


def test_reserved_names_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="'__x' is reserved"):
        check_name("__x", "Maker")


def test_two_names_may_not_meet() -> None:
    table = NameTable("Maker")
    table.add("address_1")
    with pytest.raises(ConfigurationError, match="'address1' and 'address_1' would both") as caught:
        table.add("address1")

    assert "fraiseql.field(name=...)" in str(caught.value.hint)


def test_a_given_name_keeps_them_apart() -> None:
    table = NameTable("Maker")
    names = [table.add("address_1"), table.add("address1", "addressOne"), table.add("address_1")]

    assert names == ["address1", "addressOne", "address1"]
