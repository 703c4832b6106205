"""
Numbers and booleans.
"""

import decimal
import math
import re
from collections.abc import Callable

from fraiseql.schema.coercion.words import matched

_INT_BITS, _BIGINT_BITS = 32, 64
# numeric holds this many digits before and after the point (PostgreSQL, "Numeric Types").
_NUMERIC_BEFORE, _NUMERIC_AFTER = 131_072, 16_383
_DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,6})?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,19}", re.ASCII)


def int32(value: object) -> int:
    """Return an integer of 32 bits; 1.0 is one, "1" and true are not (GraphQL, 3.5.1)."""
    return _sized(integral(value, "an integer"), _INT_BITS)


def int32_digits(value: object) -> int:
    """Return a range's bound: an integer of 32 bits in digits."""
    return _sized(int(matched(_INTEGER, value, "an integer")), _INT_BITS)


def bigint(value: object) -> int:
    """Return an integer of 64 bits, from a number or a string of digits."""
    if isinstance(value, str):
        return _sized(int(matched(_INTEGER, value, "an integer")), _BIGINT_BITS)
    return _sized(integral(value, "an integer, or a string of digits"), _BIGINT_BITS)


def port(value: object) -> int:
    """Return a TCP or UDP port."""
    number = integral(value, "an integer")
    if not 1 <= number <= 65_535:
        raise ValueError("expected a port, 1 to 65535.")
    return number


def integral(value: object, expected: str) -> int:
    """Return the integer a number is equal to."""
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    # Above 2^53 a float no longer says which integer was meant.
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
        return int(value)
    if isinstance(value, decimal.Decimal) and _is_whole(value):
        return int(value)
    raise ValueError(f"expected {expected}.")


def _is_whole(number: decimal.Decimal) -> bool:
    # int() of 1E+1000000 would take its time; no integer scalar is that long.
    return number.is_finite() and number.adjusted() < 20 and number == number.to_integral_value()


def _sized(number: int, bits: int) -> int:
    if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
        raise ValueError(f"expected an integer of {bits} bits.")
    return number


def float64(value: object) -> float:
    """Return a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float | decimal.Decimal):
        raise ValueError("expected a number.")
    try:
        number = float(value)
    except (OverflowError, ValueError):
        raise ValueError("expected a number a double can hold.") from None
    if not math.isfinite(number):
        raise ValueError("expected a finite number.")
    return number


def between(low: float, high: float) -> Callable[[object], float]:
    """Return a parse function for numbers from ``low`` to ``high``."""

    def parse(value: object) -> float:
        number = float64(value)
        if not low <= number <= high:
            raise ValueError(f"expected a number from {low:g} to {high:g}.")
        return number

    return parse


def exact(value: object) -> decimal.Decimal:
    """Return a decimal number that ``numeric`` can hold, from a number or a string of digits."""
    if isinstance(value, decimal.Decimal):
        number = value
    elif isinstance(value, str):
        number = decimal.Decimal(matched(_DECIMAL, value, "a decimal number", _NUMERIC_BEFORE))
    elif isinstance(value, float) and math.isfinite(value):
        number = decimal.Decimal(repr(value))
    else:
        number = decimal.Decimal(
            printable(integral(value, "a decimal number, or a string of digits"))
        )
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError("expected a finite number.")
    if len(digits) + exponent > _NUMERIC_BEFORE or -exponent > _NUMERIC_AFTER:
        raise ValueError("expected a number that numeric can hold.")
    return number


def printable(number: int) -> int:
    """Return an integer that is not too long to be printed."""
    # Python refuses to print longer integers (sys.set_int_max_str_digits), and so to send them.
    if number.bit_length() > 14_000:
        raise ValueError("expected a number of at most 4,000 digits.")
    return number


def digits(value: decimal.Decimal) -> str:
    """Return a decimal number without an exponent, as PostgreSQL prints it."""
    return format(value, "f")


def boolean(value: object) -> bool:
    """Return a boolean."""
    if not isinstance(value, bool):
        raise ValueError("expected true or false.")
    return value


def encode_boolean(value: bool) -> str:
    """Return a boolean as PostgreSQL reads it, and as ``->>`` prints it."""
    return "true" if value else "false"
