"""The example's README, followed in a copy of the example with an empty database."""

import pytest

from tests.docs.conftest import BLOG
from tests.docs.walk import Walk

pytestmark = pytest.mark.slow


def test_the_readme_of_the_blog_turns_out_as_it_says(empty_blog: Walk) -> None:
    empty_blog.through(BLOG / "README.md")
