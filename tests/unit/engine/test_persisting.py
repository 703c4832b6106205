"""What a process remembers of stored operations."""

import pytest

from fraiseql.engine.persisting import Rate


def test_a_rate_begins_anew_every_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 60.0
    monkeypatch.setattr("fraiseql.engine.persisting.monotonic", lambda: now)
    rate = Rate(2)
    taken = [rate.take("a"), rate.take("a"), rate.take("a"), rate.take("b")]
    rate.give_back("a")
    taken.append(rate.take("a"))
    now = 120.0

    assert taken == [True, True, False, True, True]
    assert rate.take("a")
