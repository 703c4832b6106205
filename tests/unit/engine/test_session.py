"""A viewer's session variables."""

from datetime import datetime

from fraiseql.db.flight import DEFAULTS
from fraiseql.engine.session import request_variables, session_of
from fraiseql.engine.viewer import ANONYMOUS, Viewer

REQUEST = "fraiseql.engine.session.request_variables"


def colour(viewer: Viewer) -> dict[str, str | None]:
    """Return what an application would add."""
    return {"app.colour": "green" if viewer.is_staff else None, "app.contact_id": "7"}


def test_nobody_has_them_all_empty() -> None:
    expected = dict(DEFAULTS)

    assert dict(session_of(ANONYMOUS)) == expected


def test_who_asks_is_in_them() -> None:
    found = dict(session_of(Viewer(user_id="5", is_superuser=True)))

    assert found["app.user_id"] == "5"
    assert found["app.is_super_admin"] == "true"


def test_a_tenant_has_both_names() -> None:
    for name in ("app.tenant_id", "app.current_tenant_id"):
        found = dict(session_of(Viewer(session=((name, "T"),))))

        assert found["app.tenant_id"] == found["app.current_tenant_id"] == "T"


def test_functions_of_the_application_add_to_them() -> None:
    path = f"{__name__}.colour"

    found = dict(session_of(Viewer(is_staff=True), (path,)))
    assert found["app.colour"] == "green"
    assert found["app.contact_id"] == "7"
    assert dict(session_of(ANONYMOUS, (path,)))["app.colour"] == ""


def test_each_request_has_its_own_id_and_time() -> None:
    first, second = (dict(session_of(ANONYMOUS, (REQUEST,))) for _ in range(2))

    assert len(first["fraiseql.request_id"]) == 32
    assert first["fraiseql.request_id"] != second["fraiseql.request_id"]
    assert datetime.fromisoformat(first["fraiseql.started_at"]).tzinfo is not None
    assert request_variables(ANONYMOUS).keys() <= first.keys()
