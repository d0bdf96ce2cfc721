// Rooms of a visit: sealing in the vault's frame, a new price, counting cash, what is shown to the seller.

import { alt, bar, english, go, h, icon, money, note, said, say, yuan } from "./dom.js";
import { keep, kept } from "./outbox.js";

const label = (one) => say(`第 ${one.n} 张`, `Card ${one.n}`);
const head = (doors, title) => h("header.hk-top", {}, h("button.hk-tool.back", { type: "button", "aria-label": say("返回", "Back"), onclick: doors.leave }, icon("left")), h("h1.hk-grow.ttl", {}, title));
const token = () => document.querySelector("meta[name=hk-csrf]").content;

// A ticket for one card: the price stands, the seller may uncover. Asked for again it is the same event.
async function ticketFor(one) {
  const answer = await fetch(`/v1/cards/${one.id}/uncover`, { method: "POST", credentials: "same-origin", headers: { "Idempotency-Key": `uncover-${one.id}-${one.picture}`, "X-CSRFToken": token() } });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error((english ? body.detail : body.title) || say("暂时连不上，再试一次", "Briefly out of reach; try again"));
  return { card: one.id, label: label(one), capability: body.capability, info: body.info, key: body.key };
}

// The PIN is typed in a frame of the vault's own origin: this page hears "sealed" and nothing else. Several electronic
// cards are sealed from one list, which only the frame reads.
export async function sealPage(doors, cards) {
  const one = cards[0];
  if (one.lock === "none" && (await kept(`sealed:${one.id}:${one.picture}`))) { balancePage(doors, one); return; }
  const origin = doors.root.dataset.vault, words = h("div", { role: "status" }, note(say("密码只在下面这个框里填，专员和平台都看不到。", "The PIN is typed in the frame below; neither courier nor platform sees it."), "", "lock"));
  const place = h("div.vault", {}, h("p.hk-row", {}, h("span.hk-spin", { "aria-hidden": "true" }), say("正在打开保险箱", "Opening the vault")));
  const open = new Set(cards.map((card) => card.id));
  const leave = () => { removeEventListener("message", hear); void doors.leave(); };
  doors.enter([head({ leave }, `${cards.length > 1 ? say(`${cards.length} 张`, `${cards.length} cards`) : label(one)} · ${say("封存密码", "Seal the PIN")}`), h("main.hk-page.hk-g16", {}, h("p.big", {}, say("请卖家刮开密码，自己填", "Ask the seller to uncover and type it")), words, place)]);
  let tickets, renewing = null;
  try { tickets = await Promise.all(cards.map(ticketFor)); } catch (error) {
    const offline = error instanceof TypeError;
    place.replaceChildren(note(offline ? say("封存要有网。已做的都在，连上再来。", "Sealing needs a connection; everything done is kept.") : error.message, "warn", offline ? "offline" : "bang"), h("button.weui-btn.hk-btn.hk-btn_alt", { type: "button", onclick: () => sealPage(doors, cards) }, say("再试一次", "Try again")));
    return;
  }
  const frame = h("iframe.frame-vault", { title: say("保险箱", "Vault"), src: `${origin}/frame?lang=${english ? "en" : "zh"}${document.documentElement.dataset.mode ? "&view=care" : ""}`, referrerpolicy: "strict-origin" });
  const give = () => frame.contentWindow.postMessage({ huika: "ticket", tickets }, origin);
  async function hear(event) {
    if (event.origin !== origin || event.source !== frame.contentWindow || !event.data) return;
    const { huika, card, code } = event.data;
    if (huika === "ready") { give(); return; }
    if (huika === "refused" && code === "capability.expired") {
      renewing ??= Promise.all(cards.filter((known) => open.has(known.id)).map(ticketFor))
        .then((fresh) => { tickets = fresh; give(); })
        .catch((error) => words.replaceChildren(note(error.message, "warn"), h("button.weui-btn.hk-btn.hk-btn_alt", { type: "button", onclick: () => sealPage(doors, cards) }, say("再试一次", "Try again"))))
        .finally(() => { renewing = null; });
      return;
    }
    if (huika === "refused") { words.replaceChildren(note(said(event.data) || code, "warn")); return; }
    if (huika !== "sealed" || !open.delete(card)) return;
    words.replaceChildren();
    if (one.lock === "none") { removeEventListener("message", hear); await keep(`sealed:${one.id}:${one.picture}`, true); balancePage(doors, one); return; }
    await doors.post("lock", `/v1/cards/${card}/lock`, {}, { card });
    if (!open.size) leave();
  }
  addEventListener("message", hear);
  place.replaceChildren(frame);
}

const CHANNELS = { pos: ["收银台", "till"], app: ["发卡方 App", "issuer's app"], "mini-program": ["小程序", "mini-program"], web: ["网页", "web page"], phone: ["电话", "telephone"], sms: ["短信", "SMS"] };

function balancePage(doors, one) {
  if (one.covered) { bagPage(doors, one); return; }
  const field = h("input", { inputmode: "decimal", autocomplete: "off", id: "balance", "aria-label": say("余额，元", "Balance in yuan") });
  const channels = one.channels.length ? one.channels : ["pos"];
  const select = h("select.hk-in", { id: "channel", "aria-label": say("哪里查的", "Where it was read") }, channels.map((name) => h("option", { value: name }, say(...(CHANNELS[name] || [name, name])))));
  const said = h("p.hk-cap", { role: "status" });
  doors.enter([head(doors, say("查余额", "Balance")), h("main.hk-page.hk-g16", {}, h("div.hk-head", {}, h("h2.big", {}, label(one)), h("span.hk-cap", {}, say("面值 ", "face value "), yuan(one.face_fen))), h("label.hk-field", {}, h("span", {}, say("查到的余额", "What it shows")), h("span.amt", {}, h("span", {}, "¥"), field)), h("label.hk-field", {}, h("span", {}, say("哪里查的", "Where")), select), said),
    bar(go(say("记下余额", "Note the balance"), async () => {
      const match = /^\d{1,6}(\.\d{1,2})?$/.exec(field.value.trim());
      if (!match) { said.textContent = say("填金额，例如 1000.00", "An amount such as 1000.00"); field.focus(); return; }
      const [whole, cents = ""] = field.value.trim().split("."), fen = Number(whole) * 100 + Number(cents.padEnd(2, "0") || 0);
      await doors.post("balance", `/v1/cards/${one.id}/balance`, { balance_fen: fen, channel: select.value }, { card: one.id });
      if (fen < one.face_fen) { said.textContent = say("比面值少，要按公布的理由改价", "Below face value: a re-quote with its published reason"); setTimeout(doors.leave, 1200); return; }
      bagPage(doors, { ...one, balance_fen: fen });
    }))]);
  field.focus();
}

export function bagPage(doors, one) {
  const field = h("input.hk-in.code", { autocomplete: "off", autocapitalize: "characters", maxlength: "24", id: "bag" });
  doors.enter([head(doors, say("装袋", "Bag")), h("main.hk-page.hk-g16", {}, h("ol.howto.hk-card", {}, ...[say("请卖家把卡装进袋子", "The seller puts the card in"), say("当面封口", "Seal it together"), say("袋子留在卖家手里", "The seller keeps the bag")].map((text, n) => h("li", {}, h("span.num", {}, String(n + 1)), h("span", {}, text)))), h("label.hk-field", {}, h("span", {}, say("袋号", "Number on the bag")), field)),
    bar(go(say("封好了", "Sealed"), async () => { if (!/^[A-Za-z0-9-]{4,24}$/.test(field.value.trim())) { field.focus(); return; } await doors.post("bag", `/v1/cards/${one.id}/bag`, { bag: field.value.trim() }, { card: one.id }); await doors.leave(); }))]);
  field.focus();
}

export function requotePage(doors, one, reasons) {
  const less = h("input.hk-in", { inputmode: "decimal", id: "less", autocomplete: "off" }), missing = h("input.hk-in", { inputmode: "decimal", id: "missing", autocomplete: "off" });
  const select = h("select.hk-in", { id: "reason" }, reasons.map((reason) => h("option", { value: reason.code }, `${reason.n}. ${said(reason)}`)));
  const told = h("p.hk-cap", { role: "status" });
  const fen = (field) => { const text = field.value.trim(); return /^\d{1,6}(\.\d{1,2})?$/.test(text) ? Math.round(Number(text) * 100) : null; };
  doors.enter([head(doors, `${label(one)} · ${say("改价", "New price")}`), h("main.hk-page.hk-g16", {}, h("p.hk-cap", {}, say("只能用公布过的理由。卖家自己的手机会收到口令，不点头就不变。", "Published reasons only. The seller's own phone gets a code; nothing changes without it.")), h("label.hk-field", {}, h("span", {}, say("理由", "Reason")), select), h("label.hk-field", {}, h("span", {}, say("减多少元", "Yuan off")), less), h("label.hk-field", {}, h("span", {}, say("比面值少多少元（有才填）", "Yuan missing from face value, if any")), missing), told),
    bar(alt(say("不改了", "Leave it"), doors.leave), go(say("请卖家看", "Ask the seller"), async () => {
      const off = fen(less);
      if (!off) { told.textContent = say("填金额，例如 5 或 23.40", "An amount such as 5 or 23.40"); less.focus(); return; }
      await doors.post("requote", `/v1/cards/${one.id}/requote`, { reason: select.value, deduction_fen: off, shortfall_fen: fen(missing) || 0 }, { card: one.id });
      await doors.leave();
    }))]);
}

export function cashPage(doors, view) {
  const NOTES = [100, 50, 20, 10, 5, 1], counts = Object.fromEntries(NOTES.map((note) => [note, 0]));
  const told = h("p.hk-cap.hk-mid", { role: "status" }), pay = go(say("卖家点过了", "The seller has counted"), async () => { await doors.post("cash", `/v1/visits/${doors.visit}/cash`, { counted_fen: sum() * 100 }); await doors.leave(); });
  const sum = () => NOTES.reduce((all, note) => all + note * counts[note], 0);
  const rows = NOTES.map((note) => {
    const out = h("output", {}, "0"), total = h("span.t.hk-money", {}, "0");
    const show = () => { out.textContent = counts[note]; total.textContent = (note * counts[note]).toLocaleString("en-US"); };
    const step = (by) => () => { counts[note] = Math.max(0, counts[note] + by); show(); check(); };
    show();
    return h("li", {}, h("b", {}, say(`${note} 元`, `¥${note}`)), h("span.hk-stepper", {}, h("button", { type: "button", "aria-label": say(`${note} 元少一张`, `one ¥${note} less`), onclick: step(-1) }, icon("minus")), out, h("button", { type: "button", "aria-label": say(`${note} 元多一张`, `one ¥${note} more`), onclick: step(1) }, icon("plus"))), total);
  });
  function check() {
    const gap = sum() * 100 - view.cash_due_fen;
    pay.disabled = gap !== 0;
    told.textContent = gap === 0 ? say("正好", "Exactly") : gap > 0 ? say(`多 ${yuan(gap)}`, `${yuan(gap)} too much`) : say(`还差 ${yuan(-gap)}`, `${yuan(-gap)} short`);
  }
  doors.enter([head(doors, say("付现金", "Cash")), h("main.hk-page.hk-g12", {}, h("section.hk-card", {}, h("dl.round", {}, h("dt", {}, say("到手", "Net")), h("dd", {}, money(view.due_fen)), h("dt", {}, say("凑到整元，我们出", "Rounding, ours")), h("dd", {}, money(view.cash_due_fen - view.due_fen)), h("dt.tot", {}, say("付现金", "Cash")), h("dd", {}, money(view.cash_due_fen, "fig")))), h("section.hk-card", {}, h("div.hk-head", {}, h("h2", {}, say("点钱", "Count")), h("span.hk-cap", {}, say("当着卖家", "in front of the seller"))), h("ol.notes", {}, rows)), told), bar(pay)]);
  check();
}

// What the seller is shown: one sign, one sentence, one figure, the reasons.
export function verdictPage(doors, view) {
  const paid = view.cards.filter((one) => one.state === "paid"), kept_ = view.cards.filter((one) => one.state === "returned");
  const sign = view.unknown ? ["clock", "seal_warn"] : paid.length ? ["check", ""] : ["card", "seal_calm"];
  const title = view.unknown ? say("银行还没回音，这笔钱归你", "The bank has not answered; it is yours") : paid.length && paid.length + kept_.length === view.cards.length ? say("钱到你手里了", "The money is yours") : kept_.length === view.cards.length ? say("没卖成，卡还是你的", "Not sold; the cards are yours") : say("正在办", "Under way");
  const row = (one) => h("li", {}, h(`span.hk-mark${one.state === "returned" || one.state === "doubtful" ? ".hk-mark_warn" : OURS.includes(one.state) ? "" : ".hk-mark_wait"}`, {}, OURS.includes(one.state) ? icon("check", "hk-ic-xs") : one.state === "returned" || one.state === "doubtful" ? icon("bang", "hk-ic-xs") : null), h("span", {}, label(one), ...one.findings.filter((f) => f.outcome !== "pass").map((f) => h("span.hk-cap", {}, said(f)))), one.state === "returned" ? h("span.hk-cap", {}, say("还是你的", "yours")) : money(one.net_fen));
  doors.enter([h("p.turn", {}, icon("refresh", "hk-ic-s"), say("请把手机转给卖家看", "Turn the phone to the seller")), h("main.hk-page.hk-g20", {}, h("section.verdict", {}, h(`span.seal${sign[1] ? `.${sign[1]}` : ""}`, {}, icon(sign[0])), h("h1", {}, title), paid.length || view.unknown ? money(view.unknown ? view.due_fen + view.paid_fen : view.paid_fen, "hero") : null), h("section.hk-card", {}, h("ol.hk-checks", {}, view.cards.map(row))), h("p.hk-cap.hk-mid", {}, say("每一步都存了证，收据在你手机上", "Every step is on record; the receipt is on your phone"))), bar(go(say("给专员", "Back to the courier"), doors.leave))]);
}
const OURS = ["credited", "paid"];
