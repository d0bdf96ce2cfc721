// The frame and the page around it. Both check the other's origin; the page is one of `data-sites`.
//   frame -> page  { huika: "ready" }
//   page -> frame  { huika: "ticket", tickets: [{ card, label, capability, info, key: { key_id, public_key } }], expects }
//                  `expects`, for all cards or a list in their order: { number, tail, digits, pin_digits }, each optional;
//                  pin_digits 0 for a kind without PIN. Sent again with new capabilities, what was sealed stays sealed.
//   frame -> page  { huika: "sealed", card } | { huika: "refused", card, code, zh, en }
// No number, PIN, or length of one ever goes to the page; fields are emptied before anything is sent.
import { able, sealed, send } from "./sealing.js";
import { MAX_BYTES, Wrong, cleanNumber, cleanPin, compare, decode, fault, read } from "./table.js";
import { WORDS, language, say, sayRefusal } from "./words.js";

const LANES = 4; // cards of a table sent at a time
const FIRST_WAIT = 4000, LONGEST_WAIT = 30_000; // milliseconds between tries
const sites = document.documentElement.dataset.sites.split(" ").filter(Boolean);
const at = (id) => document.getElementById(id);
let page = ""; // the origin that gave the tickets
let jobs = []; // one a ticket: { ticket, next, expects, body, tail, state, why, … }; `next`: a newer ticket
let byTable = false, working = false, unable = false, wait = FIRST_WAIT, timer = 0;

function tell(message) {
  window.parent.postMessage(message, page);
}

// Tickets

function isTicket(t) {
  const texts = [t?.card, t?.label ?? "", t?.capability, t?.info, t?.key?.key_id, t?.key?.public_key];
  return texts.every((text) => typeof text === "string" && text.length <= 4096);
}

function heard({ source, origin, data }) {
  if (source !== window.parent || !sites.includes(origin) || data?.huika !== "ticket") return;
  const { tickets, expects } = data;
  if (!Array.isArray(tickets) || !tickets.length || tickets.length > 500 || !tickets.every(isTicket)) return;
  page = origin;
  if (unable) {
    for (const { card } of tickets) tell({ huika: "refused", card, ...ours("frame.unsupported") });
    return;
  }
  at("rows").replaceChildren();
  jobs = tickets.map((ticket, place) => taken(ticket, (Array.isArray(expects) ? expects[place] : expects) ?? {}));
  byTable = byTable && jobs.length > 1;
  draw();
  prefill();
  bring(jobs.filter((job) => job.state === "stale"));
}

/** The job of a ticket: one that is known goes on, as long as it is sealed or its ciphertext fits the new ticket. */
function taken(ticket, expects) {
  const job = jobs.find((known) => known.ticket.card === ticket.card);
  const fits = job?.ticket.info === ticket.info && job?.ticket.key.key_id === ticket.key.key_id;
  if (!job || !(fits || job.state === "sealed" || job.state === "sending"))
    return { ticket, next: null, expects, body: null, tail: "", state: "open", why: null };
  // What may have come already is asked for again under its own capability first: so it is not sealed twice.
  const unknown = job.state === "waiting" || job.state === "sending";
  return Object.assign(job, unknown ? { next: ticket, expects } : { ticket, next: null, expects });
}

// Sealing and sending

async function seal(job, number, pin) {
  job.tail = [...number].slice(-2).join("");
  job.why = null;
  job.state = "sending";
  try {
    job.body = await sealed(job.ticket, number, pin);
  } catch {
    refuse(job, ours("seal.other_key")); // this browser can encrypt, so the ticket's key is none
  }
}

const ours = (code) => ({ code, zh: WORDS.zh[code], en: WORDS.en[code] });

function refuse(job, why) {
  Object.assign(job, { state: "open", body: null, why });
  tell({ huika: "refused", card: job.ticket.card, ...why });
}

async function deliver(job) {
  const { ticket } = job;
  job.state = "sending";
  draw();
  const answer = await send(ticket, job.body);
  if (answer.sealed) {
    Object.assign(job, { state: "sealed", body: null, why: null });
    wait = FIRST_WAIT;
    tell({ huika: "sealed", card: ticket.card });
  } else if (!answer.refused) {
    // Unknown whether it came: the same body under the same capability is sealed once at most.
    Object.assign(job, { state: "waiting", why: answer.busy ? "busy" : "lost" });
    later();
  } else if (answer.status !== 401) refuse(job, answer.refused);
  else if (job.next) {
    Object.assign(job, { ticket: job.next, next: null });
    return deliver(job);
  } else {
    job.state = "stale";
    tell({ huika: "refused", card: ticket.card, ...answer.refused });
  }
  draw();
}

async function bring(some) {
  const left = [...some];
  const lane = async () => {
    while (left.length) await deliver(left.shift());
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

function later() {
  clearTimeout(timer);
  timer = setTimeout(again, wait);
  wait = Math.min(wait * 2, LONGEST_WAIT);
}

function again() {
  clearTimeout(timer);
  bring(jobs.filter((job) => job.state === "waiting"));
}

const open = () => jobs.filter((job) => job.state === "open");

async function sealOne(event) {
  event.preventDefault();
  const [job] = open();
  const number = cleanNumber(at("number").value), pin = cleanPin(at("pin").value);
  const wrong = job && fault(number, pin, job.expects);
  at("wrong").textContent = wrong ? say(wrong.key, wrong.values) : "";
  if (!job || wrong || working) return;
  empty();
  working = true;
  await seal(job, number, pin);
  working = false;
  if (job.body) await deliver(job);
  draw();
  prefill();
  (open().length ? at("number") : at("done").hidden ? at("note") : at("done")).focus();
}

async function sealTable(event) {
  event.preventDefault();
  if (working) return;
  try {
    const rows = read(at("text").value);
    // A whole table may come again: what is sealed is passed over. Or only the cards still open.
    const whole = rows.length === jobs.length;
    const wanted = whole ? jobs : open();
    const wrongs = compare(rows, wanted.map((job) => ({ job, expects: job.expects })));
    if (wrongs.length) throw new Wrong(...wrongs);
    at("wrongs").replaceChildren();
    empty();
    working = true;
    for (const [place, { number, pin }] of rows.entries()) {
      if (wanted[place].state === "open") await seal(wanted[place], number, pin);
      if (place % 8 === 0) draw();
    }
    working = false;
    await bring(wanted.filter((job) => job.state === "sending" && job.body));
  } catch (wrong) {
    showWrongs(wrong);
  }
  draw();
}

async function readFile() {
  const [file] = at("file").files;
  if (!file) return;
  try {
    if (file.size > MAX_BYTES) throw new Wrong({ key: "too_big" });
    at("text").value = decode(new Uint8Array(await file.arrayBuffer()));
    at("wrongs").replaceChildren();
  } catch (wrong) {
    showWrongs(wrong);
  }
  at("file").value = "";
}

// What is seen

function empty() {
  for (const id of ["number", "pin", "text"]) at(id).value = "";
}

function prefill() {
  const [job] = open();
  if (job?.expects.number && !at("number").value) at("number").value = String(job.expects.number);
  count();
}

function line(tag, name, text) {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  return made;
}

const nth = (job) => [say("nth", { n: jobs.indexOf(job) + 1 }), job.ticket.label].filter(Boolean).join(" · ");

function showWrongs(wrong) {
  if (!(wrong instanceof Wrong)) throw wrong;
  const texts = wrong.found.slice(0, 6).map(({ key, values, line: place, why, missing }) => {
    if (why) return say(key, { line: place, why: say(why.key, why.values) });
    if (missing) {
      const names = missing.slice(0, 8).map((card) => nth(card.job)).join(language === "zh" ? "、" : ", ");
      return say(key, { n: missing.length, missing: names + (missing.length > 8 ? "…" : "") });
    }
    return say(key, values);
  });
  if (wrong.found.length > 6) texts.push(say("others", { n: wrong.found.length - 6 }));
  at("wrongs").replaceChildren(...texts.map((text) => line("li", "", text)));
}

/** The button counts what is missing where the page said how long number and PIN are. */
function count() {
  const [job] = open();
  const wrong = job && fault(cleanNumber(at("number").value), cleanPin(at("pin").value), job.expects);
  const counts = ["short", "long", "pin_short", "pin_long"].includes(wrong?.key);
  at("seal").textContent = working ? say("sealing") : counts ? say(wrong.key, wrong.values) : say("seal");
  at("seal").disabled = working || counts;
}

function typed() {
  at("wrong").textContent = "";
  count();
}

function drawOne(job) {
  const { label = "" } = job.ticket, { number, tail, digits, pin_digits: pinDigits } = job.expects;
  const which = say("which", { n: jobs.indexOf(job) + 1, all: jobs.length, label });
  at("which").textContent = jobs.length > 1 ? which.replace(/ · $/, "") : label;
  const hints = [tail && say("number_tail", { tail }), digits && say("number_digits", { n: digits })];
  at("number-hint").textContent = hints.filter(Boolean).join(" · ");
  at("number").inputMode = digits || /^[\d\s-]+$/.test(number ?? "") ? "numeric" : "text";
  at("pin").inputMode = pinDigits ? "numeric" : "text";
  at("pin-field").hidden = pinDigits === 0;
  at("to-table").hidden = jobs.length < 2;
  at("wrong").textContent = job.why?.code ? sayRefusal(job.why) : "";
}

function draw() {
  const left = open();
  const stuck = jobs.find((job) => job.state === "waiting" || job.state === "stale");
  const all = jobs.length > 0 && jobs.every((job) => job.state === "sealed");
  at("one").hidden = byTable || !left.length;
  at("table").hidden = !byTable || !left.length;
  if (left.length) drawOne(left[0]);
  at("seal-all").textContent = working ? say("sealing") : say("seal_all", { n: left.length });
  at("seal-all").disabled = working;
  at("again").hidden = !jobs.some((job) => job.state === "waiting");
  at("done").hidden = !all;
  at("done").textContent = all ? (jobs.length > 1 ? say("done_all", { n: jobs.length }) : say("done")) : "";
  const busy = jobs.some((job) => job.state === "sending") && !left.length;
  const note = !jobs.length ? "wait" : stuck ? (stuck.state === "stale" ? "need_ticket" : stuck.why) : busy ? "sealing" : "";
  at("note").hidden = !note;
  at("note").className = stuck ? "note warn" : "note";
  at("note").textContent = note && say(note);
  at("rows").hidden = jobs.length < 2;
  if (jobs.length > 1) drawRows();
  count();
}

/** Only rows that changed: a table has 500. */
function drawRows() {
  for (const job of jobs) {
    const seen = [nth(job), job.state, job.tail, job.why?.code].join();
    if (job.row?.isConnected && job.seen === seen) continue;
    const made = row(job);
    if (job.row?.isConnected) job.row.replaceWith(made);
    else at("rows").append(made);
    Object.assign(job, { row: made, seen });
  }
}

function row(job) {
  const made = document.createElement("li");
  made.className = job.why?.code ? "refused" : job.state;
  const left = document.createElement("div");
  left.append(line("b", "", nth(job)));
  if (job.tail) left.append(line("span", "cap", say("tail", { tail: job.tail })));
  if (job.why?.code) left.append(line("span", "cap", sayRefusal(job.why)));
  made.append(left, line("span", "state", say(job.why?.code ? "refused" : job.state)));
  return made;
}

function reveal() {
  const shown = at("pin").classList.toggle("masked") === false;
  at("show").setAttribute("aria-pressed", String(shown));
  at("show").textContent = say(shown ? "hide" : "show");
}

function choose(table) {
  byTable = table;
  empty();
  draw();
  prefill();
  at(table ? "text" : "number").focus();
}

async function start() {
  for (const marked of document.querySelectorAll("[data-t]")) marked.textContent = say(marked.dataset.t);
  at("show").textContent = say("show");
  at("note").textContent = say(window.parent === window ? "alone" : "wait");
  if (window.parent === window) return;
  unable = !(await able());
  if (unable) at("note").textContent = say("frame.unsupported");
  at("one").addEventListener("submit", sealOne);
  at("table").addEventListener("submit", sealTable);
  at("one").addEventListener("input", typed);
  at("file").addEventListener("change", readFile);
  at("show").addEventListener("click", reveal);
  at("to-table").addEventListener("click", () => choose(true));
  at("to-one").addEventListener("click", () => choose(false));
  at("again").addEventListener("click", again);
  window.addEventListener("online", again);
  window.addEventListener("message", heard);
  for (const site of sites) window.parent.postMessage({ huika: "ready" }, site);
}

start();
