"""Types over the models; the optimizer selects columns, joins and prefetches by what is asked for."""

from datetime import datetime
from typing import Annotated

import strawberry
import strawberry_django
from django.db.models import QuerySet
from strawberry import auto
from strawberry.extensions import ParserCache, ValidationCache
from strawberry_django.optimizer import DjangoOptimizerExtension

from benchmarks.peers.blog import models


@strawberry_django.type(models.User)
class User:
    id: strawberry.ID = strawberry_django.field(field_name="uuid")
    identifier: auto
    full_name: auto
    email: auto
    bio: auto
    is_active: auto
    created_at: auto


@strawberry_django.type(models.Comment)
class Comment:
    id: strawberry.ID = strawberry_django.field(field_name="uuid")
    content: auto
    created_at: auto
    author: User


@strawberry_django.type(models.Post)
class Post:
    id: strawberry.ID = strawberry_django.field(field_name="uuid")
    identifier: auto
    title: auto
    content: auto
    tags: list[str]
    view_count: auto
    created_at: auto
    author: User
    comments: list[Comment]


@strawberry.type
class CreateCommentPayload:
    comment: Comment


@strawberry.type
class Query:
    @strawberry_django.field
    def user(self, id: strawberry.ID) -> User | None:  # noqa: A002 - the argument's name
        return models.User.objects.filter(uuid=id)

    @strawberry_django.field
    def users(
        self, from_: Annotated[str, strawberry.argument(name="from")], limit: int
    ) -> list[User]:
        return models.User.objects.filter(identifier__gte=from_).order_by("identifier")[:limit]

    @strawberry_django.field
    def post(self, id: strawberry.ID) -> Post | None:  # noqa: A002 - the argument's name
        return models.Post.objects.filter(uuid=id)

    @strawberry_django.field
    def posts(
        self, limit: int, before: datetime | None = None, title_prefix: str | None = None
    ) -> list[Post]:
        found: QuerySet[models.Post] = models.Post.objects.order_by("-created_at")
        if before is not None:
            found = found.filter(created_at__lt=before)
        if title_prefix is not None:
            found = found.filter(title__startswith=title_prefix)
        return found[:limit]


@strawberry.type
class Mutation:
    @strawberry.mutation
    def create_comment(
        self, post_id: strawberry.ID, author_id: strawberry.ID, content: str
    ) -> CreateCommentPayload:
        post = models.Post.objects.only("pk_post").get(uuid=post_id)
        # The whole author: the answer has it.
        author = models.User.objects.get(uuid=author_id)
        comment = models.Comment.objects.create(post=post, author=author, content=content)
        return CreateCommentPayload(comment=comment)


# The caches spare parsing and validating the same document again.
schema = strawberry.Schema(
    Query, Mutation, extensions=[DjangoOptimizerExtension, ParserCache(), ValidationCache()]
)
