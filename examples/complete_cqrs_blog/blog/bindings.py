"""The blog's GraphQL types, bound to its views and projections."""

import enum
from datetime import datetime
from uuid import UUID

import fraiseql
from fraiseql import scalars


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


@fraiseql.type(view="v_comment")
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
