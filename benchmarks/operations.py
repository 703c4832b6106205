"""The six operations: their GraphQL, the variables of each request, and their SQL for pgbench."""

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
CONTENT = "A comment of some length, as one leaves it below an article, with an opinion."


@dataclass(frozen=True)
class Operation:
    """
    One operation under test.

    ``settings``, ``arguments``: pgbench's lines before the statement and what stands there for ``$1``, ``$2``, ...
    """

    name: str
    title: str
    document: str
    variables: Callable[[Random, int], dict[str, Any]]
    statement: str
    settings: str
    arguments: tuple[str, ...]
    writes: bool = False

    def bodies(
        self, count: int = REQUESTS, document: str | None = None, posts: int = POSTS
    ) -> list[bytes]:
        """Return request bodies, the same variables each time; ``document``: a peer's wording."""
        random = Random(self.name)
        request = {"query": document or self.document, "operationName": self.name}
        return [
            json.dumps(
                {**request, "variables": self.variables(random, posts)}, ensure_ascii=False
            ).encode()
            for _ in range(count)
        ]

    def pgbench(self) -> str:
        """Return the operation's statement as a pgbench script."""
        statement = self.statement
        for number, argument in enumerate(self.arguments, 1):
            statement = statement.replace(f"${number}", argument)
        return f"{self.settings}\n{statement};\n"


def _id(kind: str, number: int) -> str:
    return str(uuid.UUID(hashlib.md5(f"{kind}:{number}".encode()).hexdigest()))


def _user(random: Random, _posts: int) -> dict[str, Any]:
    return {"id": _id("user", random.randint(1, USERS))}


def _users(random: Random, _posts: int) -> dict[str, Any]:
    return {"from": f"user-{random.randint(1, USERS - 100):05}"}


def _post(random: Random, posts: int) -> dict[str, Any]:
    return {"id": _id("post", random.randint(1, posts))}


def _before(random: Random, posts: int) -> dict[str, Any]:
    last = datetime(2020, 1, 1, tzinfo=UTC) + posts * timedelta(minutes=30, seconds=1.25)
    return {"before": (last - timedelta(hours=random.randint(0, 2_000))).isoformat()}


def _prefix(random: Random, _posts: int) -> dict[str, Any]:
    topic, part = random.randint(100, 199), random.randint(1, 7)
    return {"prefix": f"Topic {topic}, part {part}" if part < 7 else f"Topic {topic}"}


def _comment(random: Random, posts: int) -> dict[str, Any]:
    return {
        "post": _id("post", random.randint(1, posts)),
        "author": _id("user", random.randint(1, USERS)),
        "content": CONTENT,
    }


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
        arguments=("md5('user:' || :i::text)::uuid",),
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
        arguments=("'user-' || lpad(:i::text, 5, '0')",),
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
        arguments=("md5('post:' || :i::text)::uuid",),
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
        arguments=("timestamptz '2025-09-16' + :i * interval '-1 hour'",),
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
        arguments=(
            "'Topic ' || :i::text || CASE WHEN :p < 7 THEN ', part ' || :p::text ELSE '' END || '%'",
        ),
    ),
    Operation(
        name="Q6",
        title="create a comment",
        document="""mutation Q6($post: UUID!, $author: UUID!, $content: String!) {
  createComment(input: {postId: $post, authorId: $author, content: $content}) {
    comment { content author { id identifier fullName } }
  }
}""",
        variables=_comment,
        statement=floor.CREATE,
        settings=f"\\set i random(1, {POSTS})\n\\set u random(1, {USERS})",
        arguments=(
            "md5('post:' || :i::text)::uuid",
            "md5('user:' || :u::text)::uuid",
            f"'{CONTENT}'",
        ),
        writes=True,
    ),
)
