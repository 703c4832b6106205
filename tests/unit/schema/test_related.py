"""What ``fraiseql.related`` refuses, and what becomes of it in the schema."""

import enum
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

import fraiseql
from fraiseql.errors import ConfigurationError
from fraiseql.schema import build
from fraiseql.schema.registry import Registry


def declare(annotation: Any, related: Any, view: str | None = "v_post") -> Any:
    """Build a schema whose users have posts as ``annotation`` says."""
    post = fraiseql.type(view=view)(
        type(
            "Post", (), {"__annotations__": {"id": UUID, "tags": list[str]}, "__module__": __name__}
        )
    )
    fields = {
        "__annotations__": {"id": UUID, "posts": annotation(post)},
        "__module__": __name__,
        "posts": related,
    }
    user = fraiseql.type(view="v_user")(type("User", (), fields))
    type("Query", (fraiseql.Query,), {"users": fraiseql.many(user)})
    return build.get_schema()


def listed(post: Any) -> Any:
    return list[post]


def doubly(post: Any) -> Any:
    return list[list[post]]


def same(post: Any) -> Any:
    return post


@pytest.mark.parametrize(
    ("annotation", "related", "message"),
    [
        (lambda _post: list[str], fraiseql.related(key="id"), "User.posts: only objects are related."),
        (doubly, fraiseql.related(key="id"), "User.posts: only objects are related."),
        (listed, fraiseql.related(), "User.posts: what do its objects belong together by?"),
        (listed, fraiseql.related(local="id"), "User.posts: what do its objects belong together by?"),
        (same, fraiseql.related(), "User.posts: what do its objects belong together by?"),
        (same, fraiseql.related(key="id", connection=True), "User.posts: a connection is of a list."),
        (listed, fraiseql.related(key="tags"), "User.posts: Post.tags is no single value to be matched by."),
        (listed, fraiseql.related(key="id", local="posts"), "User.posts: User.posts is no single value"),
        (listed, fraiseql.related(key="id", max_limit=-1), "User.posts: a limit of -1 rows is negative."),
    ],
)  # fmt: skip
def test_what_cannot_be_related_is_refused(
    declared: Registry, annotation: Callable[[Any], Any], related: Any, message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        declare(annotation, related)

    assert str(caught.value).startswith(message)


def test_related_objects_need_a_view(declared: Registry) -> None:
    with pytest.raises(ConfigurationError, match="Post is bound to no view"):
        declare(listed, fraiseql.related(key="id"), view=None)


def test_the_field_has_the_arguments_of_a_root_field(declared: Registry) -> None:
    schema = declare(listed, fraiseql.related(key="author_id", max_limit=3, name="articles"))
    field = schema.graphql.type_map["User"].fields["articles"]

    assert str(field.type) == "[Post!]!"
    assert {"where", "limit", "offset"} <= set(field.args)
    assert (
        str(schema.graphql.type_map["UserWhereInput"].fields["articles"].type) == "PostListFilter"
    )


def test_one_object_has_no_arguments_and_sorts(declared: Registry) -> None:
    schema = declare(lambda post: post | None, fraiseql.related(local="post_id"))
    field = schema.graphql.type_map["User"].fields["posts"]

    assert (str(field.type), list(field.args)) == ("Post", [])
    assert str(schema.graphql.type_map["UserWhereInput"].fields["posts"].type) == "PostWhereInput"


def test_a_connection_takes_cursors(declared: Registry) -> None:
    schema = declare(listed, fraiseql.related(key="author_id", connection=True))
    field = schema.graphql.type_map["User"].fields["posts"]

    assert str(field.type) == "PostConnection!"
    assert {"where", "first", "after", "last", "before"} <= set(field.args)


def test_instances_are_made_without_related_objects(declared: Registry) -> None:
    schema = declare(listed, fraiseql.related(key="author_id"))
    user = schema.objects["User"].python(id=UUID(int=1))

    assert not hasattr(user, "posts")
    user.posts = []
    assert user.posts == []
    assert "posts" not in repr(user)


def test_the_names_made_for_a_list_are_taken(declared: Registry) -> None:
    @fraiseql.enum
    class PostListFilter(enum.Enum):
        A = 1

    with pytest.raises(ConfigurationError, match="PostListFilter"):
        declare(listed, fraiseql.related(key="id"))
