"""What a basket is before it is an order."""

from collections.abc import Sequence

from huika.domain.catalog import queries as catalog
from huika.domain.market.types import Line


def bagged(lines: Sequence[Line]) -> frozenset[int]:
    """Numbers of the lines that are secured in a bag at the door, since nothing locks them. Raises UnknownKind."""
    return frozenset(line.n for line in lines if _method(line) == "none")


def _method(line: Line) -> str | None:
    kind = catalog.kind(line.kind)
    return kind.lock_electronic if line.form == "electronic" else kind.lock_plastic
