// Is the picture fit to be read? Measured before the shutter on a small grey copy. Pure.

export const SHARP = 55;       // mean squared Laplacian of 320 px wide grey; a blurred card stays far below
export const GLARE = 0.04;     // share of burnt-out pixels

export function grey(image) {
  const out = new Float32Array(image.width * image.height);
  for (let i = 0, j = 0; j < out.length; i += 4, j += 1) out[j] = 0.299 * image.data[i] + 0.587 * image.data[i + 1] + 0.114 * image.data[i + 2];
  return out;
}

export function sharpness(pixels, width, height) {
  let sum = 0, n = 0;
  for (let y = 1; y < height - 1; y += 1) for (let x = 1; x < width - 1; x += 1) {
    const i = y * width + x;
    const edge = 4 * pixels[i] - pixels[i - 1] - pixels[i + 1] - pixels[i - width] - pixels[i + width];
    sum += edge * edge; n += 1;
  }
  return n ? sum / n : 0;
}

// Burnt out where it is white without any drawing in it: paper is bright too, but it has edges.
export function glare(pixels, width, height, cell = 8) {
  let burnt = 0, all = 0;
  for (let y = 0; y + cell <= height; y += cell) for (let x = 0; x + cell <= width; x += cell) {
    let low = 255;
    for (let dy = 0; dy < cell; dy += 1) for (let dx = 0; dx < cell; dx += 1) low = Math.min(low, pixels[(y + dy) * width + x + dx]);
    all += 1;
    if (low >= 250) burnt += 1;
  }
  return all ? burnt / all : 0;
}

export function judge(image) {
  const pixels = grey(image);
  const sharp = sharpness(pixels, image.width, image.height), burnt = glare(pixels, image.width, image.height);
  return { sharp: sharp >= SHARP, calm: burnt <= GLARE, sharpness: sharp, glare: burnt };
}
