"""FraiseQL 1 over the projections, in production mode; each request sets a viewer's session variables."""

import os
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import Request

import fraiseql
from fraiseql.db import register_type_for_view
from fraiseql.fastapi import FraiseQLConfig, create_fraiseql_app


@fraiseql.type(sql_source="tv_user", jsonb_column="data")
class User:
    id: UUID
    identifier: str
    full_name: str
    email: str
    bio: str
    is_active: bool
    created_at: datetime


@fraiseql.type(sql_source="v_comment", jsonb_column="data")
class Comment:
    id: UUID
    content: str
    created_at: datetime
    author: User


@fraiseql.type(sql_source="tv_post", jsonb_column="data")
class Post:
    id: UUID
    identifier: str
    title: str
    content: str
    tags: list[str]
    view_count: int
    created_at: datetime
    author: User
    comments: list[Comment]


@fraiseql.query
async def user(info: Any, id: UUID) -> User | None:  # noqa: A002 - the argument's name
    return await info.context["db"].find_one("tv_user", where={"id": {"eq": id}})


@fraiseql.query
async def users(info: Any, after: str, limit: int) -> list[User]:
    # Its filter of texts knows no order.
    return await info.context["db"].find(
        "tv_user", where={"identifier": {"gte": after}}, order_by="identifier", limit=limit
    )


@fraiseql.query
async def post(info: Any, id: UUID) -> Post | None:  # noqa: A002 - the argument's name
    return await info.context["db"].find_one("tv_post", where={"id": {"eq": id}})


@fraiseql.query
async def posts(info: Any) -> list[Post]:
    return await info.context["db"].find("tv_post")


@fraiseql.input
class CreateCommentInput:
    post_id: UUID
    author_id: UUID
    content: str


@fraiseql.success
class CreateCommentSuccess:
    message: str
    comment: Comment


@fraiseql.error
class CreateCommentError:
    message: str


@fraiseql.mutation(function="fraiseql_1_create_comment", name="createComment")
class CreateComment:
    input: CreateCommentInput
    success: CreateCommentSuccess
    error: CreateCommentError


async def context(_request: Request) -> dict[str, Any]:
    return {"user_id": "7", "tenant_id": "1"}


# Told what columns there are, it filters and orders by them, where their indexes are, and need not warn.
for view, bound, columns in (
    ("tv_user", User, ("id", "identifier")),
    ("tv_post", Post, ("id", "identifier", "title", "created_at")),
):
    register_type_for_view(
        view,
        bound,
        table_columns={*columns, "data"},
        has_jsonb_data=True,
        jsonb_column="data",
        column_mapping={column: column for column in columns},
    )

environment = os.environ
app = create_fraiseql_app(
    config=FraiseQLConfig(
        database_url=(
            f"postgresql://{environment['PGUSER']}@/{environment['PGDATABASE']}"
            f"?host={environment['PGHOST']}&port={environment['PGPORT']}"
        ),
        environment="production",
        database_pool_size=16,
        auth_enabled=False,
    ),
    types=[User, Comment, Post],
    queries=[user, users, post, posts],
    mutations=[CreateComment],
    context_getter=context,
    production=True,
)
