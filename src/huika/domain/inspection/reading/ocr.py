"""Printed text of a card: rapidocr with the models that come in its wheel, loaded once, on first use.

Nothing is fetched: the paths of the models are given, so the library's downloader is never reached.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from huika.domain.inspection.reading.redaction import Printed

Pixels = NDArray[np.uint8]

_LOCK = Lock()
_THREADS = 2
_SURE_BP = 9300
"""Mean confidence from which the upright reading is taken without trying the card upside down."""


def printed(image: Pixels) -> tuple[Printed, ...]:
    """Lines of print of a BGR picture that lies landscape, from top to bottom; upside down if that reads better.

    Boxes are in pixels of the picture as it was read. Raises FileNotFoundError if the models are not installed.
    """
    upright = _recognise(image)
    if upright and _mean_bp(upright) >= _SURE_BP:
        return upright
    turned = _recognise(cv2.rotate(image, cv2.ROTATE_180).astype(np.uint8, copy=False))
    return turned if _weight(turned) > _weight(upright) else upright


@lru_cache(maxsize=1)
def _engine() -> Any:
    import rapidocr  # a second to load: only where text is asked for

    models = Path(rapidocr.__file__).parent / "models"
    return rapidocr.RapidOCR(
        params={
            "Global.log_level": "error",
            "Det.model_path": _model(models, "det"),
            "Cls.model_path": _model(models, "cls"),
            "Rec.model_path": _model(models, "rec"),
            "Det.limit_side_len": 736,
            "Det.limit_type": "max",
            "EngineConfig.onnxruntime.intra_op_num_threads": _THREADS,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def _model(folder: Path, part: str) -> str:
    found = sorted(folder.glob(f"*{part}*.onnx"))
    if not found:
        raise FileNotFoundError(f"rapidocr's own {part} model is not in {folder}")
    return str(found[0])


def _recognise(image: Pixels) -> tuple[Printed, ...]:
    with _LOCK:  # the engine keeps its parameters on itself from call to call
        answer = _engine()(image, use_det=True, use_cls=False, use_rec=True)
    if answer.boxes is None or answer.txts is None:
        return ()
    lines = []
    for box, text, score in zip(answer.boxes, answer.txts, answer.scores, strict=True):
        corners = np.asarray(box, dtype=float)
        left, top = corners.min(axis=0)
        right, bottom = corners.max(axis=0)
        confidence = min(10_000, max(0, round(10_000 * float(score))))
        lines.append(Printed(str(text).strip(), confidence, (float(left), float(top), float(right), float(bottom))))
    return tuple(sorted(lines, key=lambda line: (line.box[1], line.box[0])))


def _mean_bp(lines: tuple[Printed, ...]) -> float:
    return _weight(lines) / max(1, sum(len(line.text) for line in lines))


def _weight(lines: tuple[Printed, ...]) -> int:
    """Confidence summed over all characters: the right way up reads both more of them and surer."""
    return sum(line.confidence_bp * len(line.text) for line in lines)


def joined(lines: tuple[Printed, ...]) -> tuple[Printed, ...]:
    """The lines, pieces of one number put together: groups of figures in a row, at most 1.6 of their height apart."""
    result: list[Printed] = []
    for line in sorted(lines, key=lambda item: (item.box[0], item.box[1])):
        for i, before in enumerate(result):
            if _continues(before, line):
                box = (before.box[0], min(before.box[1], line.box[1]), line.box[2], max(before.box[3], line.box[3]))
                confidence = min(before.confidence_bp, line.confidence_bp)
                result[i] = Printed(f"{before.text} {line.text}", confidence, box)
                break
        else:
            result.append(line)
    return tuple(sorted(result, key=lambda item: (item.box[1], item.box[0])))


def _continues(before: Printed, line: Printed) -> bool:
    if not (_is_group(before.text) and _is_group(line.text)):
        return False
    heights = (before.box[3] - before.box[1], line.box[3] - line.box[1])
    middle = abs((before.box[1] + before.box[3]) - (line.box[1] + line.box[3])) / 2
    gap = line.box[0] - before.box[2]
    return (
        middle < 0.5 * min(heights)
        and max(heights) < 1.6 * min(heights)
        and -0.5 * min(heights) < gap < 1.6 * min(heights)
    )


def _is_group(text: str) -> bool:
    closed = text.replace(" ", "").replace("-", "")
    return closed.isascii() and closed.isalnum() and sum(c.isdigit() for c in closed) * 2 >= len(closed)
