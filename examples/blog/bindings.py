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
