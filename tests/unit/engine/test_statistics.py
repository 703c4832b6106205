"""What is counted in memory."""

from fraiseql.engine.statistics import MAX_COUNTED, Statistics


def test_statistics_are_bounded() -> None:
    counted = Statistics()
    for number in range(MAX_COUNTED + 10):
        counted.note("default", ("", str(number)), 1.0, False)

    assert len(counted._counts) == MAX_COUNTED
