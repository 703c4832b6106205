"""What was used last stays."""

from fraiseql.engine.recent import Recent


def test_those_used_last_stay_in_memory() -> None:
    recent = Recent[str, int](2)
    recent.put("a", 1)
    recent.put("b", 2)
    recent.get("a")
    recent.put("c", 3)

    assert [recent.get(key) for key in "abc"] == [1, None, 3]


def test_what_is_put_again_is_used_last() -> None:
    recent = Recent[str, int](2)
    for key, value in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        recent.put(key, value)

    assert [recent.get(key) for key in "abc"] == [3, None, 4]
