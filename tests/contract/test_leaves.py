"""What leaves make of values."""

import pytest

from fraiseql.engine.result.implementation import Implementation
from fraiseql.schema.shape import (
    BOOLEAN,
    CONSTANT,
    DATETIME,
    DIGITS,
    ENUM,
    FLOAT,
    ID,
    INT,
    JSON,
    STRING,
    TEXT,
    WRONG_TYPE,
    Node,
)

STATUS: Node = (ENUM, 1, ((b'"draft"', b"DRAFT"), (b"1", b"ONE"), (b"true", b"YES")))

TAKEN = [
    (STRING, b'"a"', b'"a"'),
    (STRING, b'""', b'""'),
    (STRING, rb'"\u00e9\/\"\\\n\ud83d\ude00\udead"', rb'"\u00e9\/\"\\\n\ud83d\ude00\udead"'),
    (STRING, '"zażółć 🐘"'.encode(), '"zażółć 🐘"'.encode()),
    (STRING, b'"\x7f\xff"', b'"\x7f\xff"'),
    (STRING, b"1.50e3", b'"1.50e3"'),
    (STRING, b"-0", b'"-0"'),
    (STRING, b"true", b'"true"'),
    (STRING, b"false", b'"false"'),
    (STRING, b'"' + b"x" * 1000 + b'"', b'"' + b"x" * 1000 + b'"'),
    (INT, b"0", b"0"),
    (INT, b"-0", b"0"),
    (INT, b"-7", b"-7"),
    (INT, b"123456789", b"123456789"),
    (INT, b"2147483647", b"2147483647"),
    (INT, b"-2147483648", b"-2147483648"),
    (INT, b"1.0", b"1"),
    (INT, b"-1.000", b"-1"),
    (INT, b"1e2", b"100"),
    (INT, b"12E+0", b"12"),
    (INT, b"10e-1", b"1"),
    (INT, b"2.147483647e9", b"2147483647"),
    (INT, b"0.00012e5", b"12"),
    (INT, b"100000000000000000000e-19", b"10"),
    (INT, b"0e999999999999999999999", b"0"),
    (INT, b"-0.0e-999999999999999999999", b"0"),
    (INT, b"1" + b"0" * 400 + b"e-400", b"1"),
    (INT, b"0." + b"0" * 400 + b"1e00401", b"1"),
    (FLOAT, b"1", b"1"),
    (FLOAT, b"-0.0", b"-0.0"),
    (FLOAT, b"1.50", b"1.50"),
    (FLOAT, b"1e308", b"1e308"),
    (FLOAT, b"1.7976931348623157e308", b"1.7976931348623157e308"),
    (FLOAT, b"1.7976931348623158079e308", b"1.7976931348623158079e308"),
    (FLOAT, b"1e-400", b"1e-400"),
    (FLOAT, b"0e999999999999999999999", b"0e999999999999999999999"),
    (FLOAT, b"1e-999999999999999999999", b"1e-999999999999999999999"),
    (FLOAT, b"0." + b"0" * 400 + b"1e700", b"0." + b"0" * 400 + b"1e700"),
    (FLOAT, b"0." + b"0" * 70_000 + b"1e70300", b"0." + b"0" * 70_000 + b"1e70300"),
    (FLOAT, b"9" * 308, b"9" * 308),
    (FLOAT, b"1" + b"0" * 400 + b"e-100", b"1" + b"0" * 400 + b"e-100"),
    (BOOLEAN, b"true", b"true"),
    (BOOLEAN, b"false", b"false"),
    (DIGITS, b"12345678901234567890.000010", b'"12345678901234567890.000010"'),
    (DIGITS, b"1e400", b'"1e400"'),
    (DIGITS, b'"NaN"', b'"NaN"'),
    (ID, b'"3b1f8f0e-8a55-4c1c-9a52-16be6bcf7b3f"', b'"3b1f8f0e-8a55-4c1c-9a52-16be6bcf7b3f"'),
    (ID, b"12345678901234567890", b'"12345678901234567890"'),
    (ID, b"-1", b'"-1"'),
    (TEXT, b'"10.0.0.0/8"', b'"10.0.0.0/8"'),
    (JSON, b'{"a" : [1, {"b": "}"}]}', b'{"a" : [1, {"b": "}"}]}'),
    (JSON, b"[]", b"[]"),
    (JSON, b"1.50", b"1.50"),
    (JSON, rb'"\u00e9"', rb'"\u00e9"'),
    (JSON, b"false", b"false"),
]

REFUSED = [
    *[(STRING, token) for token in (b"{}", b"[]")],
    *[(INT, token) for token in (b'"1"', b"true", b"[]", b"{}", b"2147483648", b"-2147483649")],
    *[(INT, token) for token in (b"1.5", b"1e-1", b"1e10", b"-1e99999999999999999999")],
    *[(INT, token) for token in (b"1e-99999999999999999999", b"12345678901234567890", b"0.1")],
    *[(INT, token) for token in (b"1e9999999999", b"4294967296", b"2147483647.5")],
    *[(FLOAT, token) for token in (b'"1"', b"true", b"[]", b"{}", b"1e309", b"-1e400")],
    *[
        (FLOAT, token)
        for token in (b"1.797693134862315808e308", b"1" + b"0" * 309, b"1e9999999999")
    ],
    (FLOAT, b"0." + b"0" * 70_000 + b"1e70310"),
    *[(BOOLEAN, token) for token in (b'"true"', b"1", b"0", b"[]", b"{}")],
    *[(DIGITS, token) for token in (b"true", b"[]", b"{}")],
    *[(ID, token) for token in (b"true", b"[]", b"{}", b"1.0", b"1e2", b"1E2")],
    *[(TEXT, token) for token in (b"true", b"[]", b"{}", b"1")],
    *[(DATETIME, token) for token in (b"true", b"[]", b"{}", b"1")],
]

TIMES = [
    ("2024-01-02 03:04:05", "2024-01-02T03:04:05+00:00"),
    ("2024-01-02T03:04:05", "2024-01-02T03:04:05+00:00"),
    ("2024-01-02 03:04:05.6", "2024-01-02T03:04:05.6+00:00"),
    ("2024-01-02 03:04:05.678901+00", "2024-01-02T03:04:05.678901+00:00"),
    ("2024-01-02 03:04:05-08", "2024-01-02T03:04:05-08:00"),
    ("2024-01-02 03:04:05+0530", "2024-01-02T03:04:05+05:30"),
    ("2024-01-02T03:04:05+05:30", "2024-01-02T03:04:05+05:30"),
    ("2024-01-02T03:04:05.678Z", "2024-01-02T03:04:05.678Z"),
    ("2024-01-02 03:04:05Z", "2024-01-02T03:04:05Z"),
    ("0001-01-01 00:00:00+00", "0001-01-01T00:00:00+00:00"),
]

NO_TIMES = [
    *["", "infinity", "-infinity", "2024-01-02", "03:04:05", "2024-01-02 03:04", "now"],
    *["12024-01-02 03:04:05", "2024-01-02 03:04:05 BC", "0044-03-15 00:00:00+00 BC"],
    *["1890-01-01 00:00:00+00:19:32", "2024-01-02 03:04:05.", "2024-01-02 03:04:05.Z"],
    *["2024-01-02 03:04:05+1", "2024-01-02 03:04:05+", "2024-01-02 03:04:05Z00"],
    *["2024-01-02 03:04:05Z00:00", "2024-01-02 03:04:05+aa", "2024-01-02 03:04:05+00:a0"],
    *["2024-01-02t03:04:05", "2024-01-02  03:04:05", "2024/01/02 03:04:05", " 2024-01-02 03:04:05"],
    *[
        "2024-01-02 03:04:05 ",
        "2024-01-02 03:04:05,5",
        "2024-01-02 0a:04:05",
        "2024-01-02 03:04:05z",
    ],
    *[r"2024-01-02\u002003:04:05", r"2024-01-02 03:04:05\n", "2024-01-02 03:04:05 +00"],
]


@pytest.mark.parametrize(("kind", "token", "expected"), TAKEN)
def test_a_value_the_leaf_takes_is_written(
    projector: Implementation, kind: int, token: bytes, expected: bytes
) -> None:
    assert projector.shape((kind, 0)).project_row(b" " + token + b"\n") == (expected, ())


@pytest.mark.parametrize(("kind", "token"), REFUSED)
def test_a_value_the_leaf_does_not_take_is_null_and_an_error(
    projector: Implementation, kind: int, token: bytes
) -> None:
    assert projector.shape((kind, 1)).project_row(token) == (b"null", (((), "", WRONG_TYPE),))


@pytest.mark.parametrize(("printed", "expected"), TIMES)
def test_timestamps_go_out_as_rfc_3339(
    projector: Implementation, printed: str, expected: str
) -> None:
    answer = projector.shape((DATETIME, 0)).project_row(f'"{printed}"'.encode())

    assert answer == (f'"{expected}"'.encode(), ())


@pytest.mark.parametrize("printed", NO_TIMES)
def test_what_rfc_3339_cannot_say_is_no_timestamp(projector: Implementation, printed: str) -> None:
    answer = projector.shape((DATETIME, 1)).project_row(f'"{printed}"'.encode())

    assert answer == (b"null", (((), "", WRONG_TYPE),))


@pytest.mark.parametrize(
    ("token", "name"), [(b'"draft"', b'"DRAFT"'), (b"1", b'"ONE"'), (b"true", b'"YES"')]
)
def test_an_enum_token_goes_out_as_its_name(
    projector: Implementation, token: bytes, name: bytes
) -> None:
    assert projector.shape(STATUS).project_row(token) == (name, ())


@pytest.mark.parametrize(
    "token", [b'"DRAFT"', b'"1"', b"1.0", b"2", rb'"dr\u0061ft"', b"{}", b"[]"]
)
def test_an_unknown_enum_token_is_an_error(projector: Implementation, token: bytes) -> None:
    assert projector.shape(STATUS).project_row(token) == (b"null", (((), "", WRONG_TYPE),))


@pytest.mark.parametrize("row", [None, b"null", b"1", b'{"a": 1}'])
def test_a_constant_does_not_look_at_the_document(
    projector: Implementation, row: bytes | None
) -> None:
    assert projector.shape((CONSTANT, b'"Post"')).project_row(row) == (b'"Post"', ())
