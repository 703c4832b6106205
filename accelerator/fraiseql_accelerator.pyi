from collections.abc import Sequence
from typing import Any, final

CONTRACT_VERSION: int
__version__: str

class MalformedRow(ValueError):
    row: int
    offset: int

@final
class Shape:
    def __new__(cls, node: tuple[Any, ...]) -> Shape: ...
    def project_row(
        self, row: bytes | None
    ) -> tuple[bytes, tuple[tuple[tuple[str | int, ...], str, int], ...]]: ...
    def project_rows(
        self, rows: Sequence[bytes | None]
    ) -> tuple[bytes, tuple[tuple[tuple[str | int, ...], str, int], ...]]: ...
