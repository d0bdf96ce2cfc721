// Building the page from text alone: nothing a person or a server wrote is ever read as HTML.

export const english = document.documentElement.lang.startsWith("en");
export const say = (zh, en) => (english ? en : zh);
export const said = (thing) => (english ? thing.en : thing.zh);

export function h(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const node = document.createElement(name || "div");
  if (classes.length) node.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key in node && typeof value !== "string") node[key] = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";
export function icon(name, classes = "") {
  const svg = document.createElementNS(SVG, "svg"), use = document.createElementNS(SVG, "use");
  svg.setAttribute("class", `hk-ic ${classes}`);
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

export const yuan = (fen) => `¥${Math.floor(fen / 100).toLocaleString("en-US")}.${String(fen % 100).padStart(2, "0")}`;
export function money(fen, size = "") {
  if (!size) return h("span.hk-money", {}, yuan(fen));
  const [whole, cents] = yuan(fen).slice(1).split(".");
  return h(`span.hk-money.hk-money_${size}`, {}, h("small", {}, "¥"), whole, h("small", {}, `.${cents}`));
}
export const clock = (iso) => new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "Asia/Shanghai" }).format(new Date(iso));
export const spaced = (code) => code.replace(code.length % 3 ? /(..)(?=.)/g : /(...)(?=.)/g, "$1 ");

// The bar at the bottom: one filled button, at most two quiet ones beside it.
export function bar(...buttons) { return h("footer.hk-bar.hk-row", {}, buttons); }
export function go(text, act, more = {}) { return h("button.weui-btn.weui-btn_primary.hk-btn.hk-btn_go", { type: "button", onclick: act, ...more }, text); }
export function alt(text, act, more = {}) { return h("button.weui-btn.hk-btn.hk-btn_alt.hk-btn_sq", { type: "button", onclick: act, ...more }, text); }
export function note(text, kind = "", name = "bang") { return h(`p.hk-note${kind ? `.hk-note_${kind}` : ""}`, { role: kind ? "alert" : "note" }, icon(name, "hk-ic-s"), h("span", {}, text)); }
