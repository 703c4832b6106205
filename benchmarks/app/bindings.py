"""The types over the projections; fields are those of the documents."""

from datetime import datetime
from uuid import UUID

import fraiseql


@fraiseql.type(view="tv_user", source="v_user")
class User:
    """Someone who writes posts and comments."""

    id: UUID
    identifier: str
    full_name: str
    email: str
    bio: str
    is_active: bool
    created_at: datetime


@fraiseql.type(view="v_comment")
class Comment:
    """What someone said below a post; stored in the post's document."""

    id: UUID
    content: str
    created_at: datetime
    author: User


@fraiseql.type(view="tv_post", source="v_post")
class Post:
    """An article."""

    id: UUID
    identifier: str
    title: str
    content: str
    tags: list[str]
    view_count: int
    created_at: datetime
    author: User
    comments: list[Comment]


@fraiseql.type(view="v_slow")
class Slow:
    """What takes five seconds."""

    id: UUID


@fraiseql.mutation(function="fn_create_comment")
class CreateComment:
    """Comment on a post."""

    post_id: UUID
    author_id: UUID
    content: str
    returns: Comment


class Query(fraiseql.Query):
    """What the benchmark asks for."""

    user = fraiseql.one(User)
    users = fraiseql.many(User)
    post = fraiseql.one(Post)
    posts = fraiseql.many(Post)
    slow = fraiseql.many(Slow)
