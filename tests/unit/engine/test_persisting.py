"""What a process remembers of stored operations."""

import pytest

from fraiseql.engine.document.persisted import Stored
from fraiseql.engine.persisting import Rate, Recent


def test_those_used_last_stay_in_memory() -> None:
    recent = Recent(2)
    kept = [Stored("", str(number), "", False) for number in range(3)]
    recent.put(("", "0"), kept[0])
    recent.put(("", "1"), kept[1])
    recent.get(("", "0"))
    recent.put(("", "2"), kept[2])

    assert [recent.get(("", str(number))) for number in range(3)] == [kept[0], None, kept[2]]


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
