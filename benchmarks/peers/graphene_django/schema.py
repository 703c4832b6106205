"""Types over the models; author and comments are loaded in one query each for all that are asked for."""

from collections import defaultdict
from datetime import datetime
from typing import Any

import graphene
from django.db.models import QuerySet
from graphene_django import DjangoObjectType
from graphql_sync_dataloaders import SyncDataLoader

from benchmarks.peers.blog import models


class Loaders:
    """The data loaders of one request."""

    def __init__(self) -> None:
        self.users = SyncDataLoader(_users)
        self.comments = SyncDataLoader(_comments)


def _users(keys: list[int]) -> list[models.User]:
    found = models.User.objects.in_bulk(keys)
    return [found[key] for key in keys]


def _comments(keys: list[int]) -> list[list[models.Comment]]:
    found = defaultdict(list)
    for comment in models.Comment.objects.filter(post_id__in=keys).order_by("created_at"):
        found[comment.post_id].append(comment)
    return [found[key] for key in keys]


class User(DjangoObjectType):
    class Meta:
        model = models.User
        fields = ("identifier", "full_name", "email", "bio", "is_active", "created_at")

    id = graphene.ID(required=True, source="uuid")


class Comment(DjangoObjectType):
    class Meta:
        model = models.Comment
        fields = ("content", "created_at")

    id = graphene.ID(required=True, source="uuid")
    author = graphene.Field(User, required=True)

    def resolve_author(self, info: Any) -> Any:
        return info.context.loaders.users.load(self.author_id)


class Post(DjangoObjectType):
    class Meta:
        model = models.Post
        fields = ("identifier", "title", "content", "view_count", "created_at")

    id = graphene.ID(required=True, source="uuid")
    author = graphene.Field(User, required=True)
    comments = graphene.List(graphene.NonNull(Comment), required=True)

    def resolve_author(self, info: Any) -> Any:
        return info.context.loaders.users.load(self.author_id)

    def resolve_comments(self, info: Any) -> Any:
        return info.context.loaders.comments.load(self.pk_post)


class Query(graphene.ObjectType):
    user = graphene.Field(User, id=graphene.ID(required=True))
    users = graphene.List(
        graphene.NonNull(User),
        required=True,
        from_=graphene.String(name="from", required=True),
        limit=graphene.Int(required=True),
    )
    post = graphene.Field(Post, id=graphene.ID(required=True))
    posts = graphene.List(
        graphene.NonNull(Post),
        required=True,
        before=graphene.DateTime(),
        title_prefix=graphene.String(),
        limit=graphene.Int(required=True),
    )

    def resolve_user(self, _info: Any, id: str) -> models.User:  # noqa: A002 - the argument's name
        return models.User.objects.get(uuid=id)

    def resolve_users(self, _info: Any, from_: str, limit: int) -> QuerySet[models.User]:
        return models.User.objects.filter(identifier__gte=from_).order_by("identifier")[:limit]

    def resolve_post(self, _info: Any, id: str) -> models.Post:  # noqa: A002 - the argument's name
        return models.Post.objects.get(uuid=id)

    def resolve_posts(
        self,
        _info: Any,
        limit: int,
        before: datetime | None = None,
        title_prefix: str | None = None,
    ) -> QuerySet[models.Post]:
        found = models.Post.objects.order_by("-created_at")
        if before is not None:
            found = found.filter(created_at__lt=before)
        if title_prefix is not None:
            found = found.filter(title__startswith=title_prefix)
        return found[:limit]


class CreateComment(graphene.Mutation):
    class Arguments:
        post_id = graphene.ID(required=True)
        author_id = graphene.ID(required=True)
        content = graphene.String(required=True)

    comment = graphene.Field(Comment, required=True)

    def mutate(self, _info: Any, post_id: str, author_id: str, content: str) -> "CreateComment":
        post = models.Post.objects.only("pk_post").get(uuid=post_id)
        author = models.User.objects.only("pk_user").get(uuid=author_id)
        comment = models.Comment.objects.create(post=post, author=author, content=content)
        return CreateComment(comment=comment)


class Mutation(graphene.ObjectType):
    create_comment = CreateComment.Field()


schema = graphene.Schema(query=Query, mutation=Mutation)
