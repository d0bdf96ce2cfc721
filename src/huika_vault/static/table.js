// A pasted table or a file of electronic cards, read here: "number, PIN" a line. Every cell is plain text.
export const MAX_ROWS = 500;
export const MAX_BYTES = 64 * 1024;
const DELIMITERS = ",，\t;；";

/** What is wrong with a table, one entry each: a key of words.js and its values (line numbers, never contents). */
export class Wrong extends Error {
  constructor(...found) {
    super("the table is refused");
    this.found = found;
  }
}

/** The text of a file: UTF-8 or UTF-16 by its mark, else UTF-8 if it is that, else GB18030. Throws Wrong. */
export function decode(bytes) {
  if (bytes.length > MAX_BYTES) throw new Wrong({ key: "too_big" });
  const names = bytes[0] === 0xff && bytes[1] === 0xfe ? ["utf-16le"] : ["utf-8", "gb18030"];
  for (const name of names) {
    try {
      const text = new TextDecoder(name, { fatal: true }).decode(bytes);
      if (!text.includes("\0")) return text;
    } catch {
      continue;
    }
  }
  throw new Wrong({ key: "not_text" });
}

/** A number as it is sealed: half-width, without spaces, dashes and what cannot be seen. */
export function cleanNumber(text) {
  return text.normalize("NFKC").replace(/[\s\p{Pd}\p{Cf}\u2212]/gu, "");
}

/** A PIN as it is sealed: half-width, without spaces; dashes may belong to it. */
export function cleanPin(text) {
  return text.normalize("NFKC").replace(/[\s\p{Cf}]/gu, "");
}

/** The first thing wrong with one card, as a key of words.js with its values, or null. */
export function fault(number, pin, expects = {}) {
  const { digits, tail, pin_digits: pinDigits } = expects;
  if (!number) return { key: "need_number" };
  if (/^\d+([.]\d+)?E\+?\d+$/i.test(number)) return { key: "scientific" };
  if ([...number].length > 128 || [...pin].length > 64 || /\p{C}/u.test(number + pin)) return { key: "not_plain" };
  const far = digits ? number.length - digits : 0;
  if (far) return { key: far < 0 ? "short" : "long", values: { n: Math.abs(far) } };
  if (tail && !number.toUpperCase().endsWith(tail.toUpperCase())) return { key: "other_tail" };
  if (!pin && pinDigits !== 0) return { key: "need_pin" };
  const off = pinDigits ? pin.length - pinDigits : 0;
  if (off) return { key: off < 0 ? "pin_short" : "pin_long", values: { n: Math.abs(off) } };
  return null;
}

/** The cards of a table: [{ line, number, pin }], without header lines and empty lines. Throws Wrong. */
export function read(text) {
  if (new TextEncoder().encode(text).length > MAX_BYTES) throw new Wrong({ key: "too_big" });
  const found = records(text.replace(/^\uFEFF/, ""));
  let columns = null;
  while (found.length && isHeader(found[0].cells)) columns = named(found.shift().cells) ?? columns;
  if (!found.length) throw new Wrong({ key: "empty" });
  if (found.length > MAX_ROWS) throw new Wrong({ key: "too_many" });
  const wrongs = [];
  const rows = found.map(({ line, cells }) => {
    if (!columns && cells.length > 2) wrongs.push({ key: "row", line, why: { key: "columns" } });
    const [number, pin] = columns ?? [0, 1];
    return { line, number: cleanNumber(cells[number] ?? ""), pin: cleanPin(cells[pin] ?? "") };
  });
  if (wrongs.length) throw new Wrong(...wrongs);
  return rows;
}

/** What is wrong with rows that are to be sealed for these cards, in order: [{ label, expects }]. Empty if nothing. */
export function compare(rows, cards) {
  const wrongs = [];
  const lines = new Map();
  rows.forEach(({ line, number, pin }, place) => {
    const why = fault(number, pin, cards[place]?.expects);
    if (why) wrongs.push({ key: "row", line, why });
    const same = number.toUpperCase();
    if (number && lines.has(same)) wrongs.push({ key: "twice", values: { first: lines.get(same), line } });
    else lines.set(same, line);
  });
  if (rows.length < cards.length) wrongs.push({ key: "fewer", missing: cards.slice(rows.length) });
  if (rows.length > cards.length) wrongs.push({ key: "more", values: { wanted: cards.length, n: rows.length } });
  return wrongs;
}

function isHeader(cells) {
  return cells.filter(Boolean).every((cell) => !/\p{Nd}/u.test(cell) || /\p{Script=Han}/u.test(cell));
}

/** The places of number and PIN in a header that names both, or null. */
function named(cells) {
  const pin = cells.findIndex((cell) => /密码|密碼|卡密|\bpin\b|password|passcode/i.test(cell));
  const number = cells.findIndex((cell, at) => at !== pin && /卡号|卡號|\bcard\b|number|\bno\b/i.test(cell));
  return number >= 0 && pin >= 0 ? [number, pin] : null;
}

function records(text) {
  const found = [];
  let line = 1, began = 1, cells = [], cell = "", quoted = false, closed = false;
  const endCell = () => {
    cells.push(closed ? cell : cell.trim());
    cell = "";
    closed = false;
  };
  const endRecord = () => {
    endCell();
    while (cells.length && !cells.at(-1)) cells.pop();
    if (cells.length) found.push({ line: began, cells });
    cells = [];
    began = line;
  };
  for (let at = 0; at < text.length; at += 1) {
    const mark = text[at];
    const ends = mark === "\n" || (mark === "\r" && text[at + 1] !== "\n");
    if (ends) line += 1;
    if (quoted) {
      if (mark !== '"') cell += mark;
      else if (text[at + 1] === '"') cell += text[(at += 1)];
      else [quoted, closed] = [false, true];
    } else if (ends) endRecord();
    else if (DELIMITERS.includes(mark)) endCell();
    else if (mark === '"' && !cell.trim() && !closed) [cell, quoted] = ["", true];
    else if (!closed || mark.trim()) cell += mark;
  }
  if (quoted) throw new Wrong({ key: "row", line: began, why: { key: "quote" } });
  endRecord();
  return found;
}
