// The checklist of a visit: what is done, what is now, what waits for what. Pure: server's state and outbox in, steps out.
// Nothing out of order can be tapped, because only the first open step has an action.

import { blocked } from "./outbox.js";

const SHOT = ["captured", "doubtful", "clear", "requoted", "locking", "bagged", "suspected", "credited", "paid"];
const OURS = ["credited", "paid"];

// What the outbox holds counts as done here: the next step that needs no answer may begin.
export function effective(state, entries) {
  const held = new Set(blocked(entries));
  const mine = entries.filter((entry) => entry.visit === state.id && entry.state !== "refused" && !held.has(entry));
  const cards = state.cards.map((card) => {
    const sent = mine.filter((entry) => entry.card === card.id).map((entry) => entry.step);
    let now = card.state;
    if (sent.includes("pictures") && ["declared", "captured", "doubtful"].includes(now)) now = "sending";
    if (sent.includes("lock")) now = "locking";
    if (sent.includes("bag")) now = "bagged";
    if (sent.includes("decline")) now = "returned";
    const noted = mine.find((entry) => entry.card === card.id && entry.step === "balance");
    return { ...card, state: now, balance_fen: noted ? noted.json.balance_fen : card.balance_fen, covered: noted ? noted.json.balance_fen >= card.face_fen : card.covered, taken: card.taken || sent.includes("take") };
  });
  const steps = mine.map((entry) => entry.step);
  let visit = state.state;
  if (steps.includes("depart") && visit === "ready") visit = "on_the_way";
  if (steps.includes("no-show")) return { ...state, state: "no_show", order_state: "cancelled", cards, refused: [] };
  return { ...state, state: visit, cards, arriving: steps.includes("arrive"), counting: steps.includes("cash"), refused: entries.filter((entry) => entry.visit === state.id && entry.state === "refused") };
}

const left = (cards, states) => cards.filter((card) => states.includes(card.state));

export function checklist(view) {
  const cards = view.cards.filter((card) => card.state !== "returned");
  const lockable = cards.filter((card) => card.lock !== "none"), bagged = cards.filter((card) => card.lock === "none");
  const inside = view.order_state !== "accepted";
  const shot = cards.filter((card) => SHOT.includes(card.state) || card.state === "sending");
  const judged = cards.filter((card) => ["clear", "requoted", "locking", "bagged", "suspected", ...OURS].includes(card.state));
  const steps = [
    { id: "depart", done: view.state !== "promised" && view.state !== "ready", blocked: view.state === "promised" },
    { id: "arrive", done: inside, busy: view.arriving },
    { id: "shoot", done: inside && shot.length === cards.length, at: shot.length, of: cards.length, card: left(cards, ["declared"])[0] },
    { id: "judge", done: inside && judged.length === cards.length, at: judged.length, of: cards.length, card: left(cards, ["doubtful"])[0] || left(cards, ["sending", "captured"])[0], busy: true },
  ];
  if (view.cards.some((card) => card.state === "requoted")) steps.push({ id: "requote", done: false, card: left(cards, ["requoted"])[0], busy: true });
  if (lockable.length || !bagged.length) steps.push({ id: "lock", done: lockable.length > 0 && lockable.every((card) => OURS.includes(card.state)), at: lockable.filter((card) => OURS.includes(card.state)).length, of: lockable.length, card: left(lockable, ["clear"])[0] || left(lockable, ["locking", "suspected"])[0] });
  if (bagged.length) steps.push({ id: "bag", done: bagged.every((card) => [...OURS, "bagged"].includes(card.state)), at: bagged.filter((card) => [...OURS, "bagged"].includes(card.state)).length, of: bagged.length, card: left(bagged, ["clear"])[0] || left(bagged, ["suspected"])[0] });
  const sold = cards.length > 0 && cards.every((card) => card.state === "paid");
  steps.push(view.rail === "cash"
    ? { id: "cash", done: sold, busy: view.counting, waits: !cards.every((card) => OURS.includes(card.state)) }
    : { id: "pay", done: sold, busy: true });
  if (bagged.length) steps.push({ id: "take", done: bagged.every((card) => card.taken), card: bagged.find((card) => card.state === "paid" && !card.taken) });
  steps.push({ id: "leave", done: false });
  if (["declined_free", "cancelled", "expired"].includes(view.order_state) || (inside && !cards.length)) return [{ id: "arrive", done: true }, { id: "ended", done: false, now: true }];
  const first = steps.find((step) => !step.done);
  if (first) first.now = true;
  return steps;
}
