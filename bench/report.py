"""What every bench prints: a table, then one JSON line with metrics, peers and targets."""

import json
import random
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any


def bootstrap(
    values: Sequence[float], of: Callable[[Sequence[float]], float] = median, rounds: int = 2000
) -> list[float]:
    """95 % bounds of a statistic by resampling with a fixed seed: [low, high]."""
    source = random.Random(7)
    found = sorted(of(source.choices(values, k=len(values))) for _ in range(rounds))
    return [round(found[int(rounds * 0.025)], 4), round(found[int(rounds * 0.975)], 4)]


def quantile(values: Sequence[float], share: float) -> float:
    """The value at `share` (0..1) of the sorted values, nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered) + 0.5) - 1))]


def table(rows: Sequence[Sequence[Any]]) -> None:
    """Rows with aligned columns, the first one the heading."""
    widths = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print(
            "  ".join(
                str(cell).rjust(w) if i else str(cell).ljust(w)
                for i, (cell, w) in enumerate(zip(row, widths, strict=True))
            )
        )


def finish(bench: str, metrics: dict[str, Any], targets: dict[str, Any], peers: dict[str, Any] | None = None) -> None:
    """The last line: one JSON object."""
    print(
        json.dumps({"bench": bench, "metrics": metrics, "peers": peers or {}, "targets": targets}, ensure_ascii=False)
    )
