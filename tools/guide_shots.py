"""Take over the pictures of the last test run into docs/guide/shots, small enough to be kept: `make guide`."""

import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
TAKEN, KEPT = ROOT / "var" / "shots" / "guide", ROOT / "docs" / "guide" / "shots"
TALLEST = 1500  # pixels


def main() -> int:
    """Every picture, cut and with 128 colours; exit 1 when there is none."""
    KEPT.mkdir(parents=True, exist_ok=True)
    taken = sorted(TAKEN.glob("*.png"))
    for picture in taken:
        with Image.open(picture) as image:
            shown = image.convert("RGB").crop((0, 0, image.width, min(image.height, TALLEST)))
        shown.quantize(128, dither=Image.Dither.NONE).save(KEPT / picture.name, optimize=True)
    print(f"{len(taken)} pictures, {sum(p.stat().st_size for p in KEPT.glob('*.png')) // 1000} kB")
    return 0 if taken else 1


if __name__ == "__main__":
    sys.exit(main())
