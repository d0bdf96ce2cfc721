// What holds on every page, beside axe: returns a list of sentences. Asked with {phone, care, sellers, lang, names}.
(asked) => {
  const wrong = [], like = new Map();
  // The same defect of the same kind of element is told once, with its number.
  const say = (what, node) => {
    const kind = `${what.replace(/".*"/, "")} ${node ? `${node.parentElement?.className} ${node.localName}.${node.className}` : ""}`;
    if (!like.has(kind)) { like.set(kind, wrong.length); wrong.push({ text: node ? `${what}: ${outline(node)}` : what, more: 0 }); }
    else wrong[like.get(kind)].more += 1;
  };
  const outline = (node) => node.outerHTML.replace(/\s+/g, " ").slice(0, 160);
  const shown = (node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && node.getClientRects().length > 0;
  const without = (text) => asked.names.reduce((left, name) => left.replaceAll(name, ""), text);

  // It can be made larger by hand.
  const viewport = document.querySelector("meta[name=viewport]")?.content || "";
  if (!viewport.includes("width=device-width") || /user-scalable\s*=\s*(no|0)|maximum-scale/.test(viewport)) say(`viewport "${viewport}"`);
  const lang = document.documentElement.lang;
  if (!lang.startsWith(asked.lang)) say(`html lang is "${lang}"`);

  // Nothing stands out of the screen sideways.
  const root = document.documentElement;
  if (asked.phone && root.scrollWidth > root.clientWidth) {
    const beyond = [...document.body.querySelectorAll("*")].filter((n) => shown(n) && n.getBoundingClientRect().right > root.clientWidth + 1);
    say(`scrolls sideways, ${root.scrollWidth} of ${root.clientWidth} px`, beyond.at(-1) || document.body);
  }

  // One language. Names of people and what is marked as another language or as no text may differ.
  const han = /[\u3000-\u303f\u3400-\u9fff\uff01-\uff60\uffe5]/;
  const sentence = /[A-Za-z][A-Za-z'’]+(?:,? [A-Za-z'’]+){2,}/;
  const foreign = asked.lang === "en" ? han : sentence;
  const other = asked.lang === "en" ? "zh" : "en";
  const excused = (node) => node.closest(`[lang^="${other}"], [translate="no"], [data-lang], code, pre, kbd, script, style, noscript`);
  const walk = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  for (let text = walk.nextNode(); text; text = walk.nextNode()) {
    const found = foreign.exec(without(text.data));
    if (found && !excused(text.parentElement)) say(`untranslated "${text.data.trim().slice(0, 60)}"`, text.parentElement);
  }
  for (const node of document.querySelectorAll("*")) {
    if (excused(node)) continue;
    for (const { name, value } of node.attributes) {
      const words = /^(aria-label|aria-description|title|placeholder|alt|label|data-.*)$/.test(name) || (name === "value" && /^(submit|button)$/.test(node.type));
      if (words && !/^[[{]/.test(value) && foreign.test(without(value))) say(`untranslated ${name}`, node);
    }
  }

  // The elder view is there where sellers are; a page that has none is judged as it is.
  const care = (document.documentElement.dataset.mode || "").startsWith("care");
  if (asked.care && asked.sellers && !care) say("the elder view was asked for and is not shown");

  // What is tapped is large enough: itself, its label, or a padding that answers for it.
  if (asked.phone) {
    const least = care ? 60 : 44;
    const tapped = "a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button], [role=tab], [role=switch]";
    for (const node of document.querySelectorAll(tapped)) {
      const parts = [node, ...(node.labels || [])].filter(shown);
      const inSentence = node.localName === "a" && getComputedStyle(node).display === "inline" && without(node.parentElement.textContent).trim() !== node.textContent.trim();
      if (!parts.length || inSentence || node.disabled || node.closest("[aria-hidden=true], [inert]")) continue;
      const own = node.getBoundingClientRect();
      if (own.width <= 1 && parts.length === 1) continue; // hidden for the eye, reached by keyboard
      if (!parts.some((part) => large(part, least))) {
        const { width, height } = (parts.at(-1)).getBoundingClientRect();
        say(`target ${Math.round(width)}×${Math.round(height)}, at least ${least}`, node);
      }
    }
  }
  function large(part, least) {
    const box = part.getBoundingClientRect();
    if (box.width >= least - 0.5 && box.height >= least - 0.5) return true;
    part.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
    const now = part.getBoundingClientRect(), x = now.left + now.width / 2, y = now.top + now.height / 2, r = least / 2 - 1;
    const answers = (dx, dy) => { const hit = document.elementFromPoint(x + dx, y + dy); return hit && (part.contains(hit) || hit === part); };
    const wide = now.width >= least - 0.5 || (answers(-r, 0) && answers(r, 0));
    const high = now.height >= least - 0.5 || (answers(0, -r) && answers(0, r));
    return Boolean(wide && high);
  }

  // The elder view is read without glasses.
  if (care && asked.phone) {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text = texts.nextNode(); text; text = texts.nextNode()) {
      const node = text.parentElement;
      if (!text.data.trim() || node.closest("script, style, template, option, [aria-hidden=true], svg") || !shown(node)) continue;
      const size = parseFloat(getComputedStyle(node).fontSize);
      if (size < 18) say(`text of ${size} px in the elder view`, node);
    }
  }
  window.scrollTo(0, 0);
  return wrong.map(({ text, more }) => more ? `${text} and ${more} more like it` : text);
}
