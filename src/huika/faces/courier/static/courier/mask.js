// What covers a PIN: the stated area of a picture is painted over before anything is kept. Pure; pixels in, pixels out.
// An area is a band across the card, in shares of its height. The margin is for a card that lies askew in the outline:
// up to 3 % shifted, 2° turned, 3 % larger or smaller, together 6.1 % of the height at the far edge.

// The picture shows the card with a strip of table around it, which reading needs to find its edges.

export const PAD = 0.08;       // of the picture's width and height, on each side of the outline
export const MARGIN = 0.08;    // of the card's height
export const AREAS = {
  middle: { top: 0.4, bottom: 0.56 },
  upper: { top: 0.08, bottom: 0.4 },
  lower: { top: 0.56, bottom: 0.95 },
  none: null,
};

// The rows of the picture that an area takes, over its whole width.
export function rows(area, height) {
  const high = height * (1 - 2 * PAD), spread = MARGIN * high;
  const top = Math.max(0, Math.floor(PAD * height + area.top * high - spread));
  return { top, bottom: Math.min(height, Math.ceil(PAD * height + area.bottom * high + spread)) };
}

// Paints the area of an ImageData in one flat colour: nothing of what lay there decides any pixel.
export function cover(image, area) {
  if (!area) return image;
  const { top, bottom } = rows(area, image.height);
  new Uint32Array(image.data.buffer).fill(0xff302b29, top * image.width, bottom * image.width);
  return image;
}
