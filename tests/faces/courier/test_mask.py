"""What the courier's page paints over: a PIN anywhere in the stated area decides no pixel of the picture.

Ten designs that the mask was not made for, each askew within its stated tolerance. Two pictures that differ in
nothing but the PIN must be the same afterwards, to the last pixel: then nothing about the PIN is left in them.
"""

import base64
import io
import random
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFont
from tests.browser import BrowserPages

CARD = (1284, 810)
PICTURE = (1600, 1009)
PAD = 0.08
AREAS = {"middle": (0.40, 0.56), "upper": (0.08, 0.40), "lower": (0.56, 0.95)}
COVER = """async ([one, two, area, covered]) => {
  const { AREAS, cover } = await import("/static/courier/mask.js");
  const look = async (url) => {
    const image = new Image(); image.src = url; await image.decode();
    const paper = document.createElement("canvas"), pen = paper.getContext("2d", { willReadFrequently: true });
    paper.width = image.width; paper.height = image.height; pen.drawImage(image, 0, 0);
    const pixels = pen.getImageData(0, 0, paper.width, paper.height);
    return (covered ? cover(pixels, AREAS[area]) : pixels).data;
  };
  const [a, b] = [await look(one), await look(two)];
  let differ = 0;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) differ += 1;
  return differ;
}"""


def design(seed: int, area: str, pin: str, *, outside: bool = False) -> str:
    """A back that nobody has drawn before, with a bare PIN somewhere in the area, laid askew; a PNG address."""
    source = random.Random(seed)
    top, bottom = AREAS[area]
    colour = tuple(source.randrange(60, 240) for _ in range(3))
    card = Image.new("RGB", CARD, colour)
    pen = ImageDraw.Draw(card)
    for _ in range(source.randrange(3, 9)):
        x, y = source.randrange(CARD[0]), source.randrange(CARD[1])
        shade = tuple(source.randrange(256) for _ in range(3))
        pen.ellipse((x, y, x + source.randrange(40, 400), y + source.randrange(40, 300)), outline=shade, width=9)
    size = source.randrange(40, 72)
    font = ImageFont.load_default(size)
    left, above, right, below = font.getbbox(pin)
    high, wide = below - above, right - left
    room = (bottom - top) * CARD[1] - high - 4
    y = top * CARD[1] + 2 + source.random() * max(0, room)
    if outside:
        y = (bottom + 0.2) * CARD[1] if area != "lower" else (top - 0.3) * CARD[1]
    x = source.random() * (CARD[0] - wide - 8) + 4
    pen.rectangle((x - 4, y, x + wide + 4, y + high), fill="white")
    pen.text((x - left, y - above), pin, fill="black", font=font)
    scale = source.uniform(0.97, 1.03) * PICTURE[0] * (1 - 2 * PAD) / CARD[0]
    laid = card.resize((round(CARD[0] * scale), round(CARD[1] * scale))).convert("RGBA")
    laid = laid.rotate(source.uniform(-2, 2), expand=True, resample=Image.Resampling.BICUBIC)
    table = Image.new("RGB", PICTURE, (110, 96, 80))
    shift = [source.uniform(-0.03, 0.03) * PICTURE[1] * (1 - 2 * PAD) for _ in range(2)]
    corner = tuple(round((whole - part) / 2 + by) for whole, part, by in zip(PICTURE, laid.size, shift, strict=True))
    table.paste(laid, corner, laid)
    out = io.BytesIO()
    table.save(out, "PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


@pytest.mark.parametrize("area", AREAS)
def test_a_pin_in_the_stated_area_decides_no_pixel(
    area: str, live_server: Any, transactional_db: None, browser_page: BrowserPages
) -> None:
    page = browser_page()
    page.goto(live_server.url + "/phone")
    for seed in range(10):
        pins = [f"{random.Random(seed * 100 + n).randrange(10**16):016d}" for n in range(2)]
        one, two = (design(seed, area, pin) for pin in pins)
        assert page.evaluate(COVER, [one, two, area, True]) == 0, f"design {seed}"
        if seed > 1:
            continue
        # The controls: uncovered they differ, and so does what lies outside the area.
        assert page.evaluate(COVER, [one, two, area, False]) > 500
        away = [design(seed, area, pin, outside=True) for pin in pins]
        assert page.evaluate(COVER, [*away, area, True]) > 500
