// One visit. The page is drawn from what the server last said and what the outbox still holds.

import { takeSide } from "./camera.js";
import { alt, bar, clock, go, h, icon, money, note, said, say, spaced, yuan } from "./dom.js";
import { add, drop, forget, isSignedOut, keep, kept, onChange, send, waiting } from "./outbox.js";
import { checklist, effective } from "./steps.js";
import { bagPage, cashPage, requotePage, sealPage, verdictPage } from "./rooms.js";

const root = document.getElementById("visit"), ID = root.dataset.visit;
const WORDS = {
  depart: ["出发", "Set out"], arrive: ["出示工牌，对口令", "Badge and code"], shoot: ["拍照", "Photographs"], judge: ["核对", "Checks"],
  requote: ["卖家看新价", "New price"], lock: ["锁卡", "Lock"], bag: ["装袋", "Bag"], pay: ["付款", "Payment"], cash: ["付现金", "Cash"],
  take: ["接过袋子", "Take the bag"], leave: ["给收据，离开", "Receipt, leave"], ended: ["结束，不花钱", "Over, free"],
};
const WAITS = {
  depart: ["备好款才能出发", "after the money is secured"], arrive: ["到门口再对", "at the door"], shoot: ["对上口令才拍", "after the code"], judge: ["拍完就核对", "after the photos"],
  requote: ["", ""], lock: ["核对过才锁", "after the checks"], bag: ["核对过才装", "after the checks"], pay: ["锁好就付", "once locked"], cash: ["锁完才付", "once locked"],
  take: ["钱到了才能接", "once paid"], leave: ["最后", "last"], ended: ["", ""],
};
let state = null, entries = [], room = null, busy = false, shown = "", out = false;
const since = new Map();   // when a card began to be locked, by this page

async function load() {
  try {
    const answer = await fetch(`/courier/visits/${ID}.json`, { credentials: "same-origin", headers: state ? { "If-None-Match": `"${state.version}"` } : {} });
    const token = answer.headers.get("X-HK-Token");
    if (token) document.querySelector("meta[name=hk-csrf]").content = token;
    out = answer.redirected || answer.status === 401;
    if (answer.status === 200 && answer.headers.get("Content-Type")?.includes("json")) {
      state = await answer.json();
      // The door's address is kept while the visit is under way, for a reload without a net; then it goes.
      void (["ready", "on_the_way", "at_the_door"].includes(state.state) ? keep(`visit:${ID}`, state) : drop(`visit:${ID}`));
    }
  } catch { if (!state) state = (await kept(`visit:${ID}`)) || null; }
  entries = await waiting();
  draw();
}

const card = (view, id) => view.cards.find((one) => one.id === id);
const label = (one) => say(`第 ${one.n} 张`, `card ${one.n}`);
const post = (step, url, json, more = {}) => add({ visit: ID, step, url, json, ...more });

function pill(view) {
  const mine = entries.length, stuck = view.refused.length;
  if (out || isSignedOut()) return h("a.hk-pill.hk-pill_warn", { href: `/staff/sign-in?next=${encodeURIComponent(location.pathname)}` }, say("要重新登录", "Sign in again"));
  if (stuck) return h("span.hk-pill.hk-pill_warn", {}, icon("bang", "hk-ic-s"), say(`${stuck} 件没成`, `${stuck} refused`));
  if (!mine) return h("span.hk-pill", {}, navigator.onLine ? say("已同步", "Synced") : say("离线", "Offline"));
  return h("span.hk-pill.hk-pill_warn", {}, icon("cloud", "hk-ic-s"), navigator.onLine ? say(`${mine} 件在发`, `${mine} to send`) : say(`离线，${mine} 件待发`, `Offline, ${mine} to send`));
}

function top(view) {
  return h("header.hk-top", {}, h("a.hk-tool.back", { href: "/courier/", "aria-label": say("回到今天的站点", "Back to today's stops") }, icon("left")), h("h1.hk-grow.ttl", {}, say("上门", "Visit"), " ", view.order), pill(view), h("a.hk-tool", { href: document.documentElement.dataset.mode ? "?view=plain" : "?view=care" }, document.documentElement.dataset.mode ? say("普通", "Plain") : say("大字", "Large")));
}

function refusals(view) {
  return view.refused.map((entry) => h("div.hk-note.hk-note_warn.stack", { role: "alert" }, h("p", {}, icon("bang", "hk-ic-s"), " ", h("b", {}, say(...(WORDS[entry.step === "pictures" ? "shoot" : entry.step] || [entry.step, entry.step]))), " ", said(entry) || String(entry.status)), h("button.hk-plain", { type: "button", onclick: async () => { await forget(entry.n); await load(); void send(); } }, say("知道了，重做", "Seen; do it again"))));
}

function stepRow(step, view) {
  const title = say(...WORDS[step.id]) + (step.of > 1 ? ` ${step.at} / ${step.of}` : "");
  if (step.done) return h("li", {}, h("span.hk-mark", {}, icon("check", "hk-ic-xs")), h("span", {}, title), h("span", {}));
  if (!step.now) return h("li.todo", {}, h("span.hk-mark.hk-mark_wait", {}, icon("lock", "hk-ic-xs")), h("span", {}, title), h("span.hk-cap", {}, say(...WAITS[step.id])));
  return h("li.nowbox", { "aria-current": "step" }, h("div.hk-head", {}, h("b.big", {}, title), step.card ? h("span.hk-cap", {}, label(step.card)) : null), h("div.body", {}, details(step, view)));
}

function details(step, view) {
  if (step.id === "depart") return step.blocked ? h("p.hk-cap", {}, say("还不能出发：钱没备好，或者拼的人还不够", "Not yet: the money is not secured, or too few have booked")) : h("p.hk-cap", {}, say(`${clock(view.opens)}–${clock(view.closes)}`, `${clock(view.opens)}–${clock(view.closes)}`));
  if (step.id === "arrive") return [h("dl.hk-rows", {}, h("div", {}, h("dt", {}, say("你先报", "You say first")), h("dd.hk-money.hk-money_fig", {}, view.say ? spaced(view.say) : "—")), h("div", {}, h("dt", {}, say("工号", "Badge")), h("dd", {}, view.badge))),
    step.busy ? h("p.hk-cap", {}, say("口令在核对，连上网就有结果", "The code is being checked")) : h("label.hk-field", {}, h("span", {}, say("卖家报的六位数字", "The seller's six digits")), h("input.hk-in.code", { inputmode: "numeric", maxlength: "6", autocomplete: "off", id: "door-code" }))];
  if (step.id === "shoot") return h("p.hk-cap", {}, say("卡在卖家手里，密码先别刮。没有网也能拍。", "The seller holds the card; the PIN stays covered. Works offline."));
  if (step.id === "judge") return step.card ? [...step.card.findings.map((one) => h("p.hk-cap", {}, said(one))), h("p.hk-row", {}, h("span.hk-spin", { "aria-hidden": "true" }), step.card.state === "doubtful" ? say("同事在看，卖家也看得到", "A colleague is looking") : step.card.state === "sending" ? say("照片在发，连上网就核对", "Pictures are being sent") : say("在核对照片", "Reading the pictures"))] : null;
  if (step.id === "requote") return h("p.hk-row", {}, h("span.hk-spin", { "aria-hidden": "true" }), say(`等卖家点头：新价 ${yuan(step.card.requote.new_fen)}`, `Waiting for the seller: ${yuan(step.card.requote.new_fen)}`));
  if (step.id === "lock") return step.card?.state === "clear" ? h("p", {}, say(`卖家刮开密码就是同意，${yuan(step.card.net_fen)} 归他`, `Uncovering the PIN means yes: ${yuan(step.card.net_fen)}`)) : h("p.hk-row", {}, h("span.hk-spin", { "aria-hidden": "true" }), step.card?.state === "suspected" ? say("同事在看这张卡", "A colleague is looking at it") : say("正在向发卡方锁卡", "Locking at the issuer"));
  if (step.id === "bag") return h("p.hk-cap", {}, say("先封存密码，再查余额，最后装袋。袋子留在卖家手里。", "Seal, balance, bag. The bag stays with the seller."));
  if (step.id === "cash") return step.waits ? h("p.hk-cap", {}, say("锁完再付", "Once everything is locked")) : h("p", {}, money(view.cash_due_fen, "fig"));
  if (step.id === "pay") return h("p.hk-row", {}, h("span.hk-spin", { "aria-hidden": "true" }), view.unknown ? say("银行还没回音，钱归卖家，欠条开好了", "The bank has not answered; the money is owed") : say("钱在路上", "The money is on its way"));
  if (step.id === "take") return h("p.hk-cap", {}, view.received ? say("卖家说收到了", "The seller says it has come") : say("请卖家先点「收到了」", "Ask the seller to confirm first"));
  if (step.id === "ended") return h("p.hk-cap", {}, say("卡还是卖家的，不收费", "The cards stay the seller's, free of charge"));
  return h("p.hk-cap", {}, say("收据在卖家手机上，能自己验", "The receipt is on the seller's phone"));
}

async function shoot(one, view) {
  const many = view.cards.length > 1 ? say(`第 ${one.n} 张，共 ${view.cards.length} 张`, `Card ${one.n} of ${view.cards.length}`) : said(one.kind);
  const front = await takeSide(root, { title: `${many} · ${say("正面", "front")}`, side: "front", kind: one.kind.slug });
  if (!front) return leaveRoom();
  const thumb = URL.createObjectURL(front.blob);
  const back = await takeSide(root, { title: `${many} · ${say("反面", "back")}`, side: "back", kind: one.kind.slug, first: thumb });
  URL.revokeObjectURL(thumb);
  if (!back) return leaveRoom();
  const number = await numberPage(one);
  if (number !== null) await save({ visit: ID, card: one.id, step: "pictures", url: `/v1/cards/${one.id}/pictures`, form: [["front", front.blob, "front.jpg"], ["back", back.blob, "back.jpg"], ["number", number]] });
  return leaveRoom();
}

// Pictures that cannot be stored are not lost silently: the phone is full, or keeps nothing in this mode.
async function save(entry) {
  try { await add(entry); } catch {
    await new Promise((again) => root.replaceChildren(h("main.hk-page.hk-g20", {}, h("h1.hk-h1", {}, say("存不下", "No room")), note(say("手机存不下了，或者浏览器在无痕模式。腾出地方，再点一次，照片还在这里。", "The phone is full, or the browser keeps nothing in this mode. Make room and tap again; the pictures are still here."), "warn")), bar(go(say("再存一次", "Store again"), again))));
    await save(entry);
  }
}

function numberPage(one) {
  return new Promise((resolve) => {
    const field = h("input.hk-in.code", { autocomplete: "off", autocapitalize: "characters", spellcheck: "false", maxlength: "40", id: "card-number" }), told = h("p.hk-cap.hk-warn", { role: "status" });
    root.replaceChildren(h("header.hk-top", {}, h("button.hk-tool.back", { type: "button", "aria-label": say("返回", "Back"), onclick: () => resolve(null) }, icon("left")), h("h1.hk-grow.ttl", {}, label(one))),
      h("main.hk-page.hk-g20", {}, h("label.hk-field", {}, h("span", {}, say("印着的卡号（机器能读条码就不用填）", "The printed number (leave empty when there is a barcode)")), field), told),
      bar(go(say("发去核对", "Send for the check"), () => {
        const number = field.value.replace(/[\s-]/g, "");
        if (number && !/^[A-Za-z0-9]{8,32}$/.test(number)) { told.textContent = say("卡号 8 到 32 位字母数字，照片还在", "A number has 8 to 32 letters and digits; the pictures are kept"); field.focus(); return; }
        resolve(number);
      })));
    field.focus();
  });
}

function leaveRoom() { room = null; shown = ""; return load(); }
function enter(page) { room = page; root.replaceChildren(...page); scrollTo(0, 0); }
const doors = { enter, leave: leaveRoom, post, visit: ID, root };

function actions(step, view) {
  const help = h("a.weui-btn.hk-btn.hk-btn_alt.hk-btn_sq", { href: root.dataset.tel }, say("求助", "Help"));
  if (step.id === "depart") return bar(help, go(say("出发", "Set out"), () => post("depart", `/v1/visits/${ID}/depart`), { disabled: Boolean(step.blocked) }));
  if (step.id === "arrive") return bar(h("button.weui-btn.hk-btn.hk-btn_alt.hk-btn_sq", { type: "button", onclick: () => noShow() }, say("没人应", "Nobody")), go(say("对口令", "Check the code"), () => {
    const digits = document.getElementById("door-code")?.value.replace(/\D/g, "") || "";
    if (digits.length !== 6) { document.getElementById("door-code")?.focus(); return; }
    void post("arrive", `/v1/visits/${ID}/arrive`, { code: digits });
  }, { disabled: Boolean(step.busy) }));
  if (step.id === "shoot") return bar(help, go([icon("camera"), say(`拍${label(step.card)}`, `Photograph ${label(step.card)}`)], () => { room = []; void shoot(step.card, view); }));
  if (step.id === "judge" && step.card) return bar(help, step.card.state === "doubtful" ? go(say("重拍", "Retake"), () => { room = []; void shoot(step.card, view); }) : go(say("等结果", "Waiting"), null, { disabled: true }));
  if (step.id === "lock" && step.card?.state === "locking") {
    if (!since.has(step.card.id)) since.set(step.card.id, Date.now());
    if (Date.now() - since.get(step.card.id) > 30_000 && !step.card.bag) return bar(help, go(say("发卡方没回音，装袋", "Issuer silent: bag it"), () => bagPage(doors, step.card)));
  }
  if ((step.id === "lock" || step.id === "bag") && step.card?.state === "clear") return bar(alt(say("要改价", "Re-quote"), () => requotePage(doors, step.card, JSON.parse(root.dataset.reasons))), go(step.id === "lock" ? say("封存密码，锁卡", "Seal and lock") : say("下一步", "Next"), () => sealPage(doors, together(step, view))));
  if (step.id === "cash" && !step.waits) return bar(help, go(say("点钱", "Count the cash"), () => cashPage(doors, view), { disabled: Boolean(step.busy) }));
  if (step.id === "take" && step.card) return bar(help, go(say("扫袋号，接过", "Take the bag"), () => bagTake(step.card)));
  if (step.id === "leave" || step.id === "ended") return bar(alt(say("给卖家看", "Show"), () => verdictPage(doors, view)), h("a.weui-btn.weui-btn_primary.hk-btn.hk-btn_go", { href: "/courier/" }, say("下一站", "Next stop")));
  return bar(help, alt(say("给卖家看", "Show"), () => verdictPage(doors, view)), go(say("等一等", "Waiting"), null, { disabled: true }));
}

// Electronic cards that are ready are sealed in one go, plastic card by card.
function together(step, view) {
  const alike = view.cards.filter((one) => one.state === "clear" && one.form === "electronic" && one.lock !== "none");
  return step.card.form === "electronic" && alike.length ? alike : [step.card];
}

async function noShow() {
  enter([h("main.hk-page.hk-g20", {}, h("h1.hk-h1", {}, say("没人应？", "Nobody there?")), h("p", {}, say("先打电话，等五分钟。取消以后卖家不花钱。", "Call first and wait five minutes. Cancelling costs the seller nothing."))), bar(alt(say("再等等", "Wait"), leaveRoom), go(say("没人应，取消", "Nobody: cancel"), async () => { await post("no-show", `/v1/visits/${ID}/no-show`); await leaveRoom(); }))]);
}

function bagTake(one) {
  const field = h("input.hk-in.code", { autocomplete: "off", maxlength: "24", id: "bag-number" });
  enter([h("header.hk-top", {}, h("button.hk-tool.back", { type: "button", "aria-label": say("返回", "Back"), onclick: leaveRoom }, icon("left")), h("h1.hk-grow.ttl", {}, say("一手交卡，一手到账", "Bag against money"))),
    h("main.hk-page.hk-g16", {}, h("section.swap", {}, h("div", {}, h("span.disc", {}, icon("bag")), h("b", {}, label(one)), h("span.hk-cap", {}, say("封好，在卖家手里", "sealed, with the seller"))), h("div.ar", {}, icon("swap")), h("div", {}, h("span.disc.ok", {}, icon("check")), h("b", {}, yuan(one.net_fen)), h("span.hk-cap", {}, say("已到账", "paid")))),
      h("label.hk-field", {}, h("span", {}, say("再看一次袋号，封口没动过才接", "The bag's number again; only if the seal is intact")), field)),
    bar(go(say("接过袋子", "Take it"), async () => { if (field.value.trim().length < 4) { field.focus(); return; } await post("take", `/v1/cards/${one.id}/take-over`, { bag: field.value.trim() }, { card: one.id }); await leaveRoom(); }))]);
}

function draw() {
  if (room) return;
  if (!state && out) { location.assign(`/staff/sign-in?next=${encodeURIComponent(location.pathname)}`); return; }
  if (!state) { root.replaceChildren(h("main.hk-page", {}, note(say("没有网，这一站还没存下来。连上再打开。", "Offline, and this stop is not kept yet."), "warn", "offline"))); return; }
  const view = effective(state, entries), steps = checklist(view), now = steps.find((step) => step.now);
  const look = JSON.stringify([view.version, view.state, view.cards.map((one) => [one.state, one.balance_fen, one.taken]), entries.map((entry) => [entry.n, entry.state]), navigator.onLine, out, isSignedOut(), [...since.values()].some((at) => Date.now() - at > 30_000)]);
  if (look === shown) return;
  shown = look;
  const typed = document.getElementById("door-code")?.value;
  root.replaceChildren(top(view), h("main.hk-page.hk-g12", {},
    h("section.hk-row", {}, h("div.hk-grow", {}, h("p.big", { translate: "no" }, view.seller), h("p.hk-cap", view.address ? { translate: "no", lang: "zh-CN" } : {}, view.address || (["done", "no_show", "cancelled"].includes(view.state) ? say("离开了，地址已收回", "Over: the address is taken back") : say("能出发了才看得到地址", "The address shows once you may set out")))), view.place ? h("a.hk-tool", { href: `geo:${view.place[0] / 1e6},${view.place[1] / 1e6}?q=${encodeURIComponent(view.address)}` }, icon("pin"), say("导航", "Navigate")) : null),
    refusals(view), h("ol.steps", {}, steps.map((step) => stepRow(step, view))), declineWay(view)), actions(now, view));
  if (typed) { const field = document.getElementById("door-code"); if (field) field.value = typed; }
}

function declineWay(view) {
  const open = view.cards.filter((one) => ["declared", "captured", "doubtful", "clear", "requoted"].includes(one.state));
  if (view.order_state !== "in_progress" || !open.length) return null;
  return h("details.hk-card", {}, h("summary", {}, say("卖家不卖哪一张", "A card the seller keeps")), h("div.hk-g8", {}, open.map((one) => h("button.weui-btn.hk-btn.hk-btn_alt", { type: "button", onclick: () => post("decline", `/v1/cards/${one.id}/decline`, {}, { card: one.id }) }, say(`${label(one)}不卖了，不花钱`, `Keep ${label(one)}, free`)))));
}

onChange(() => void load());
window.addEventListener("online", () => void load());
window.addEventListener("offline", () => draw());
setInterval(() => { if (!busy && !document.hidden && navigator.onLine) { busy = true; load().finally(() => { busy = false; }); void send(); } }, 2500);
void load();
void send();
