"""What the shop keeps with Django's ORM, served by graphene-django."""

from datetime import datetime

from django.db import models


class Note(models.Model):
    """A note of a member of staff."""

    text: "models.TextField[str, str]" = models.TextField()
    written_at: "models.DateTimeField[datetime | None, datetime | None]" = models.DateTimeField(
        null=True
    )

    class Meta:
        app_label = "shop"
        ordering = ("id",)

    def __str__(self) -> str:
        return self.text
