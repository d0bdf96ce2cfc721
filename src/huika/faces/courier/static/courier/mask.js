// What covers a PIN: the stated area of a picture is painted over before anything is kept. Pure; pixels in, pixels out.
// An area is given in shares of the card's width and height. The margin is for a card that lies askew in the outline:
// up to 3 % shifted, 2° turned, 3 % larger or smaller, together 6.1 % of the height at the far edge.

// The picture shows the card with a strip of table around it, which reading needs to find its edges.

export const PAD = 0.08;       // of the picture's width and height, on each side of the outline
export const MARGIN = 0.08;    // of the card's height
export const AREAS = {
  middle: { left: 0, top: 0.4, right: 1, bottom: 0.56 },
  upper: { left: 0, top: 0.08, right: 1, bottom: 0.4 },
  lower: { left: 0, top: 0.56, right: 1, bottom: 0.95 },
  none: null,
};

export function box(area, width, height) {
  const wide = width * (1 - 2 * PAD), high = height * (1 - 2 * PAD), spread = MARGIN * high;
  const left = Math.max(0, Math.floor(PAD * width + area.left * wide - spread)), top = Math.max(0, Math.floor(PAD * height + area.top * high - spread));
  const right = Math.min(width, Math.ceil(PAD * width + area.right * wide + spread)), bottom = Math.min(height, Math.ceil(PAD * height + area.bottom * high + spread));
  return { left, top, width: right - left, height: bottom - top };
}

// Paints the area of an ImageData in one flat colour: nothing of what lay there decides any pixel.
export function cover(image, area) {
  if (!area) return image;
  const { left, top, width, height } = box(area, image.width, image.height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let y = top; y < top + height; y += 1) pixels.fill(0xff302b29, y * image.width + left, y * image.width + left + width);
  return image;
}
