"""Who asks, as resolvers see it."""

from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync

import fraiseql
from fraiseql.engine import pipeline
from fraiseql.engine.document.request import GraphQLRequest
from fraiseql.engine.viewer import ANONYMOUS, Viewer
from fraiseql.testing import isolated

ADA = Viewer(user_id="7", roles=frozenset({"editors"}))
WHO = GraphQLRequest("{ who later }", variables={"viewer": "8"}, extensions={"viewer": "8"})


@pytest.fixture
def declared() -> Iterator[None]:
    with isolated():

        @fraiseql.query
        def who(info: Any) -> str | None:
            return info.context.viewer.user_id  # type: ignore[no-any-return]  # info is Any

        @fraiseql.query
        async def later(info: Any) -> list[str]:
            return sorted(info.context["viewer"].roles)

        yield


@pytest.mark.django_db
def test_resolvers_see_the_viewer_they_answer(declared: None) -> None:
    in_thread = pipeline.execute(WHO, viewer=ADA).body
    in_loop = async_to_sync(pipeline.execute_async)(WHO, viewer=ADA).body

    assert in_thread == in_loop == b'{"data":{"who":"7","later":["editors"]}}'


@pytest.mark.django_db
def test_who_is_not_named_is_anonymous(declared: None) -> None:
    assert pipeline.execute(WHO).body == b'{"data":{"who":null,"later":[]}}'


def test_only_a_viewer_with_an_id_is_authenticated() -> None:
    assert ADA.is_authenticated
    assert not ANONYMOUS.is_authenticated
