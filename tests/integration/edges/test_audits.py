"""The audits of GraphQL over HTTP that the authors of the specification publish (graphql-http on npm)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.edges.served import serve

pytestmark = pytest.mark.slow

SCRIPT = """
import { auditServer } from 'graphql-http';

const results = await auditServer({ url: process.argv[2] });
console.log(JSON.stringify(results.map(({ id, name, status, reason }) => ({ id, name, status, reason }))));
"""


@pytest.mark.parametrize("application", ["application", "behind"])
def test_every_audit_is_passed_at_both_edges(
    site_database: str, tmp_path: Path, node: Callable[..., Any], application: str
) -> None:
    log = tmp_path / "log"
    # The audits ask for types.
    with serve(
        "uvicorn", site_database, log, application=application, INTROSPECTION="public"
    ) as served:
        results = node(SCRIPT, served.url)

    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) >= 61
