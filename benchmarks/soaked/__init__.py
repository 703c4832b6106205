"""The project that the soak loads: each viewer is a tenant, and sees and changes what is its own."""

from fraiseql.authentication import Request
from fraiseql.engine.viewer import Viewer


def tenant(request: Request) -> Viewer | None:
    """Return the tenant that a header names: the load is trusted."""
    name = request.header("x-tenant")
    return Viewer(user_id=name, session=(("app.tenant_id", name),)) if name else None
