"""The tables as Django sees them; Django does not make them."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class User(models.Model):
    """Someone who writes posts and comments."""

    pk_user = models.AutoField(primary_key=True)
    # Django keeps the name "id" for primary keys.
    uuid = models.UUIDField(db_column="id", unique=True, default=uuid.uuid4)
    identifier = models.TextField(unique=True)
    full_name = models.TextField()
    email = models.TextField()
    bio = models.TextField()
    is_active = models.BooleanField()
    created_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "tb_user"


class Post(models.Model):
    """An article."""

    pk_post = models.AutoField(primary_key=True)
    uuid = models.UUIDField(db_column="id", unique=True, default=uuid.uuid4)
    identifier = models.TextField(unique=True)
    author = models.ForeignKey(User, models.CASCADE, db_column="fk_user", related_name="posts")
    title = models.TextField()
    content = models.TextField()
    tags = ArrayField(models.TextField())
    view_count = models.IntegerField()
    created_at = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "tb_post"


class Comment(models.Model):
    """What someone said below a post."""

    pk_comment = models.AutoField(primary_key=True)
    uuid = models.UUIDField(db_column="id", unique=True, default=uuid.uuid4)
    post = models.ForeignKey(Post, models.CASCADE, db_column="fk_post", related_name="comments")
    author = models.ForeignKey(User, models.CASCADE, db_column="fk_user", related_name="comments")
    content = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        managed = False
        db_table = "tb_comment"
        ordering = ("created_at",)
