"""The tutorials, from their first lines to their last."""

import pytest

from tests.docs.blocks import DOCS
from tests.docs.walk import Walk

pytestmark = pytest.mark.slow


def test_the_tutorial_turns_out_as_it_says(empty_walk: Walk) -> None:
    empty_walk.through(DOCS / "tutorial" / "README.md")


def test_the_tutorial_of_reads_and_writes_turns_out_as_it_says(blog_walk: Walk) -> None:
    blog_walk.through(DOCS / "tutorial" / "cqrs.md")
