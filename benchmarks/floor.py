"""
The floor: what a hand-written application reaches that answers the same six operations and nothing else.

psycopg's asynchronous pool, prepared statements, one query a request, orjson, no framework. It
knows the operations by name: no GraphQL is parsed, no variable checked, no error reported, and
nothing can be asked that is not written here. That is its advantage over any GraphQL server.

How it was tuned: benchmarks/README.md, "The floor".
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, LiteralString

import orjson
from psycopg import AsyncConnection, AsyncRawCursor
from psycopg_pool import AsyncConnectionPool

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Document = dict[str, Any]

# As many as requests come at once: nobody waits for a connection.
POOL_SIZE = 16

USER: LiteralString = "SELECT data FROM tv_user WHERE id = $1"
USERS: LiteralString = (
    "SELECT data FROM tv_user WHERE identifier >= $1 ORDER BY identifier LIMIT 100"
)
POST: LiteralString = "SELECT data FROM tv_post WHERE id = $1"
# The index is in this order, so nothing is sorted and only the 20 documents are fetched.
NEWEST: LiteralString = (
    "SELECT data FROM tv_post WHERE created_at < $1 ORDER BY created_at DESC LIMIT 20"
)
# Up to 1,000 rows are sorted, but not their documents: those are TOAST pointers as long as nothing
# casts them. Keys first and a join for the 20 documents was 10 % slower: it is planned each time.
BY_TITLE: LiteralString = (
    "SELECT data FROM tv_post WHERE title LIKE $1 ORDER BY created_at DESC LIMIT 20"
)
# One statement: inserting, keeping the projection and reading the comment are in the function.
CREATE: LiteralString = "SELECT fn_create_comment_document($1, $2, $3)"


class Pool:
    """The pool, opened by the first request: daphne does not speak the lifespan protocol."""

    def __init__(self) -> None:
        self._pool: AsyncConnectionPool[AsyncConnection[tuple[Any, ...]]] | None = None
        self._opening = asyncio.Lock()

    async def documents(self, statement: LiteralString, *arguments: str) -> list[Document]:
        """Return the statement's rows, each one parsed document."""
        return [orjson.loads(value) for value in await self.values(statement, *arguments)]

    async def values(self, statement: LiteralString, *arguments: str) -> list[bytes]:
        """Return the statement's rows as they came: psycopg's row maker costs more than parsing."""
        pool = self._pool or await self._open()
        async with pool.connection() as connection:
            cursor = AsyncRawCursor(connection)
            await cursor.execute(statement, arguments, prepare=True)
            result = cursor.pgresult
        if result is None:
            return []
        return [result.get_value(row, 0) or b"" for row in range(result.ntuples)]

    async def _open(self) -> AsyncConnectionPool[AsyncConnection[tuple[Any, ...]]]:
        async with self._opening:
            if self._pool is None:
                pool = AsyncConnectionPool(
                    "",
                    min_size=POOL_SIZE,
                    max_size=POOL_SIZE,
                    open=False,
                    kwargs={"autocommit": True},
                )
                await pool.open(wait=True)
                self._pool = pool
        return self._pool

    async def close(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            await self._pool.close()


def author(document: Document) -> Document:
    return {
        "id": document["id"],
        "identifier": document["identifier"],
        "fullName": document["full_name"],
    }


def user(document: Document) -> Document:
    return {
        "id": document["id"],
        "identifier": document["identifier"],
        "fullName": document["full_name"],
        "email": document["email"],
    }


def comment(document: Document) -> Document:
    return {
        "id": document["id"],
        "content": document["content"],
        "createdAt": document["created_at"],
        "author": author(document["author"]),
    }


def post(document: Document) -> Document:
    return {
        "id": document["id"],
        "title": document["title"],
        "content": document["content"],
        "createdAt": document["created_at"],
        "author": author(document["author"]),
        "comments": [comment(entry) for entry in document["comments"]],
    }


def entry(document: Document) -> Document:
    return {
        "id": document["id"],
        "identifier": document["identifier"],
        "title": document["title"],
        "createdAt": document["created_at"],
        "author": author(document["author"]),
    }


pool = Pool()


async def user_by_id(variables: Document) -> Document:
    rows = await pool.documents(USER, variables["id"])
    return {"user": user(rows[0]) if rows else None}


async def users_from(variables: Document) -> Document:
    rows = await pool.documents(USERS, variables["from"])
    return {"users": [user(row) for row in rows]}


async def post_by_id(variables: Document) -> Document:
    rows = await pool.documents(POST, variables["id"])
    return {"post": post(rows[0]) if rows else None}


async def newest_posts(variables: Document) -> Document:
    rows = await pool.documents(NEWEST, variables["before"])
    return {"posts": [post(row) for row in rows]}


async def posts_by_title(variables: Document) -> Document:
    # The benchmark's prefixes hold no % and no _.
    rows = await pool.documents(BY_TITLE, variables["prefix"] + "%")
    return {"posts": [entry(row) for row in rows]}


async def create_comment(variables: Document) -> Document:
    arguments = variables["post"], variables["author"], variables["content"]
    (row,) = await pool.documents(CREATE, *arguments)
    return {
        "createComment": {"comment": {"content": row["content"], "author": author(row["author"])}}
    }


OPERATIONS: dict[str, Callable[[Document], Awaitable[Document]]] = {
    "Q1": user_by_id,
    "Q2": users_from,
    "Q3": post_by_id,
    "Q4": newest_posts,
    "Q5": posts_by_title,
    "Q6": create_comment,
}


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
        return
    message = await receive()
    body: bytes = message["body"]
    while message.get("more_body"):
        message = await receive()
        body += message["body"]
    request = orjson.loads(body)
    data = await OPERATIONS[request["operationName"]](request["variables"])
    answer = orjson.dumps({"data": data})
    await send({
        "type": "http.response.start",
        "status": 200,
        "headers": [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(answer)).encode()),
        ],
    })  # fmt: skip
    await send({"type": "http.response.body", "body": answer})


async def lifespan(receive: Receive, send: Send) -> None:
    """Close the pool when the server stops."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            await pool.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
