"""One shape, many threads."""

from concurrent.futures import ThreadPoolExecutor

from fraiseql.engine.result.implementation import Implementation
from fraiseql.schema.shape import INT, LIST, NULL, OBJECT, STRING, Node

ITEM: Node = (
    OBJECT,
    1,
    ((b"n", "n", "Item.n", (INT, 0)), (b"name", "name", "Item.name", (STRING, 1))),
)


def test_a_shape_may_be_shared_between_threads(projector: Implementation) -> None:
    shape = projector.shape((LIST, 0, ITEM))

    def project(thread: int) -> bool:
        # Long enough for the accelerator to let go of the interpreter.
        rows = [b'{"name": "%d", "x": [%d], "n": %d}' % (thread, row, row) for row in range(3000)]
        items = (b'{"n":%d,"name":"%d"}' % (row, thread) for row in range(3000))
        expected = b"[" + b",".join(items) + b",null]"
        return shape.project_rows([*rows, b"{}"]) == (
            expected,
            (((3000, "n"), "Item.n", NULL),),
        )

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(project, range(8)))
