"""The audits of GraphQL over HTTP that the authors of the specification publish (graphql-http on npm)."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.edges.served import Served

pytestmark = pytest.mark.slow

SCRIPT = """
import { auditServer } from 'graphql-http';

const results = await auditServer({ url: process.argv[2] });
console.log(JSON.stringify(results.map(({ id, name, status, reason }) => ({ id, name, status, reason }))));
"""


def test_every_audit_is_passed(introspected: Served, node: Callable[..., Any]) -> None:
    results = node(SCRIPT, introspected.url)

    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) >= 61
