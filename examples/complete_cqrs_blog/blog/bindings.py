"""
What the blog's API is: types bound to projections, queries that read these, mutations that write.

Queries read ``tv_`` tables, one statement each. Mutations write ``tb_`` tables and sync the projections that
hold what they wrote: nearly all in PostgreSQL functions (``sql/functions/``), one in Python, at the end.
"""

import enum
from datetime import datetime
from typing import Any
from uuid import UUID

import fraiseql
from fraiseql import scalars
from fraiseql.cqrs import sync


@fraiseql.enum
class PostStatus(enum.Enum):
    """Where an article is on its way."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


@fraiseql.type(view="tv_user", source="v_user")
class User:
    """Someone who writes posts and comments."""

    id: UUID
    # The name in addresses, e.g. "mara-lindqvist".
    identifier: str
    name: str
    email: scalars.Email
    bio: str | None
    created_at: datetime
    # Not in the user's document: read from tv_post, in the same statement.
    posts: list["Post"] = fraiseql.related(key="author_id", max_limit=100)


@fraiseql.type(view="tv_comment", source="v_comment")
class Comment:
    """What a reader said below a post."""

    id: UUID
    identifier: str
    content: str
    author: User
    created_at: datetime


@fraiseql.type(view="tv_post", source="v_post")
class Post:
    """An article."""

    id: UUID
    # The name in addresses, e.g. "why-views".
    identifier: str
    title: str
    content: str
    tags: list[str]
    status: PostStatus
    author: User
    # Oldest first.
    comments: list[Comment]
    created_at: datetime


class Query(fraiseql.Query):
    """What the blog answers."""

    user = fraiseql.one(User)
    users = fraiseql.many(User)
    post = fraiseql.one(Post)
    posts = fraiseql.many(Post)
    post_feed = fraiseql.connection(Post)
    posts_aggregate = fraiseql.aggregate(Post)
    comment = fraiseql.one(Comment)
    comments = fraiseql.many(Comment)


@fraiseql.mutation(function="fn_create_user")
class CreateUser:
    """Welcome a user."""

    identifier: str
    name: str
    email: scalars.Email
    bio: str | None
    returns: User


@fraiseql.mutation(function="fn_update_user")
class UpdateUser:
    """Change what is given of a user, wherever it is shown."""

    id: UUID
    name: str | None
    email: scalars.Email | None
    bio: str | None
    returns: User


@fraiseql.mutation(function="fn_delete_user")
class DeleteUser:
    """Delete a user who wrote nothing."""

    id: UUID
    returns: UUID


@fraiseql.mutation(function="fn_create_post")
class CreatePost:
    """Write a post."""

    author_id: UUID
    identifier: str
    title: str
    content: str
    tags: list[str] | None
    status: PostStatus = PostStatus.DRAFT
    returns: Post


@fraiseql.mutation(function="fn_update_post")
class UpdatePost:
    """Change what is given of a post."""

    id: UUID
    title: str | None
    content: str | None
    tags: list[str] | None
    status: PostStatus | None
    returns: Post


@fraiseql.mutation(function="fn_publish_post")
class PublishPost:
    """Publish a draft."""

    id: UUID
    returns: Post


@fraiseql.mutation(function="fn_delete_post")
class DeletePost:
    """Delete a post with its comments."""

    id: UUID
    returns: UUID


@fraiseql.mutation(function="fn_create_comment")
class CreateComment:
    """Comment on a post."""

    post_id: UUID
    author_id: UUID
    content: str
    returns: Comment


@fraiseql.mutation(function="fn_update_comment")
class UpdateComment:
    """Change what a comment says."""

    id: UUID
    content: str
    returns: Comment


@fraiseql.mutation(function="fn_delete_comment")
class DeleteComment:
    """Delete a comment."""

    id: UUID
    returns: UUID


@fraiseql.mutation
async def publish_drafts(info: Any, author_id: UUID) -> list[Post]:
    """Publish all drafts of an author, and return them, oldest first."""
    db = info.context.db
    async with db.transaction():
        # 1. Write the tables.
        rows = await db.fetch(
            "UPDATE tb_post p SET status = 'published' FROM tb_user u"
            " WHERE u.pk_user = p.fk_user AND u.id = $1 AND p.status = 'draft' RETURNING p.id",
            author_id,
        )
        ids = [row["id"] for row in rows]
        # 2. Sync the projection: once for all of them, in the same transaction.
        await sync.sync_post(ids, mode="incremental")
    # 3. Read the projection, as a query does.
    found: list[Post] = await db.find(Post, where={"id": {"in": ids}}, order_by="created_at")
    return found
