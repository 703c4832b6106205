"""The five operations: their GraphQL, the variables of each request, and their SQL for pgbench."""

import hashlib
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from benchmarks import floor
from benchmarks.dataset import POSTS, USERS

# Enough that an id seldom comes twice in a second, few enough for the load generator's memory.
REQUESTS = 5_000


@dataclass(frozen=True)
class Operation:
    """
    One operation under test.

    ``settings``, ``argument``: pgbench's lines before the statement and what stands there for its ``$1``.
    """

    name: str
    title: str
    document: str
    variables: Callable[[Random], dict[str, Any]]
    statement: str
    settings: str
    argument: str

    def bodies(self, count: int = REQUESTS) -> list[bytes]:
        """Return request bodies, the same ones each time."""
        random = Random(self.name)
        return [self.body(self.variables(random)) for _ in range(count)]

    def body(self, variables: dict[str, Any]) -> bytes:
        """Return one request as GraphQL clients send it."""
        request = {"query": self.document, "operationName": self.name, "variables": variables}
        return json.dumps(request, ensure_ascii=False).encode()

    def pgbench(self) -> str:
        """Return the operation's statement as a pgbench script."""
        return f"{self.settings}\n{self.statement.replace('$1', self.argument)};\n"


def _id(kind: str, number: int) -> str:
    return str(uuid.UUID(hashlib.md5(f"{kind}:{number}".encode()).hexdigest()))


def _user(random: Random) -> dict[str, Any]:
    return {"id": _id("user", random.randint(1, USERS))}


def _users(random: Random) -> dict[str, Any]:
    return {"from": f"user-{random.randint(1, USERS - 100):05}"}


def _post(random: Random) -> dict[str, Any]:
    return {"id": _id("post", random.randint(1, POSTS))}


def _before(random: Random) -> dict[str, Any]:
    last = datetime(2020, 1, 1, tzinfo=UTC) + POSTS * timedelta(minutes=30, seconds=1.25)
    return {"before": (last - timedelta(hours=random.randint(0, 2_000))).isoformat()}


def _prefix(random: Random) -> dict[str, Any]:
    topic, part = random.randint(100, 199), random.randint(1, 7)
    return {"prefix": f"Topic {topic}, part {part}" if part < 7 else f"Topic {topic}"}


_POST = """id title content createdAt
    author { id identifier fullName }
    comments { id content createdAt author { id identifier fullName } }"""

OPERATIONS = (
    Operation(
        name="Q1",
        title="user by id",
        document="""query Q1($id: ID!) {
  user(id: $id) { id identifier fullName email }
}""",
        variables=_user,
        statement=floor.USER,
        settings=rf"\set i random(1, {USERS})",
        argument="md5('user:' || :i::text)::uuid",
    ),
    Operation(
        name="Q2",
        title="100 users",
        document="""query Q2($from: String!) {
  users(where: {identifier: {gte: $from}}, orderBy: [{identifier: ASC}], limit: 100) {
    id identifier fullName email
  }
}""",
        variables=_users,
        statement=floor.USERS,
        settings=rf"\set i random(1, {USERS - 100})",
        argument="'user-' || lpad(:i::text, 5, '0')",
    ),
    Operation(
        name="Q3",
        title="post, comments, authors",
        document=f"""query Q3($id: ID!) {{
  post(id: $id) {{
    {_POST}
  }}
}}""",
        variables=_post,
        statement=floor.POST,
        settings=rf"\set i random(1, {POSTS})",
        argument="md5('post:' || :i::text)::uuid",
    ),
    Operation(
        name="Q4",
        title="20 newest posts, as Q3",
        document=f"""query Q4($before: DateTime!) {{
  posts(where: {{createdAt: {{lt: $before}}}}, orderBy: [{{createdAt: DESC}}], limit: 20) {{
    {_POST}
  }}
}}""",
        variables=_before,
        statement=floor.NEWEST,
        settings=r"\set i random(0, 2000)",
        argument="timestamptz '2025-09-16' + :i * interval '-1 hour'",
    ),
    Operation(
        name="Q5",
        title="title prefix, newest",
        document="""query Q5($prefix: String!) {
  posts(where: {title: {startswith: $prefix}}, orderBy: [{createdAt: DESC}], limit: 20) {
    id identifier title createdAt
    author { id identifier fullName }
  }
}""",
        variables=_prefix,
        statement=floor.BY_TITLE,
        # Like _prefix: part 7 stands for the topic as a whole.
        settings="\\set i random(100, 199)\n\\set p random(1, 7)",
        argument="'Topic ' || :i::text || CASE WHEN :p < 7 THEN ', part ' || :p::text ELSE '' END || '%'",
    ),
)
