"""Every how-to page, followed in a copy of the blog."""

import pytest

from tests.docs.blocks import DOCS, pages
from tests.docs.walk import Walk

pytestmark = pytest.mark.slow

PAGES = [page.relative_to(DOCS) for page in pages("how-to")]


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_the_page_turns_out_as_it_says(page: str, blog_walk: Walk) -> None:
    blog_walk.through(DOCS / page)
    if blog_walk.left_out:
        pytest.skip(f"all but {', '.join(blog_walk.left_out)}, which is not installed")
