// One outbox: every step and picture stays in this browser until the server has acknowledged it, and counts once.
// A step carries its own idempotency key, so that a lost answer may be asked again; one tab sends at a time, in order.

const NAME = "huika-courier", STORE = "outbox", VIEWS = "views";

function open() {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => {
      asked.result.createObjectStore(STORE, { keyPath: "n", autoIncrement: true });
      asked.result.createObjectStore(VIEWS);
    };
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

async function run(store, mode, act) {
  const db = await open();
  try {
    return await new Promise((resolve, reject) => {
      const change = db.transaction(store, mode, mode === "readwrite" ? { durability: "strict" } : undefined);
      const asked = act(change.objectStore(store));
      change.oncomplete = () => resolve(asked?.result);
      change.onerror = change.onabort = () => reject(change.error);
    });
  } finally { db.close(); }
}

export const keep = (key, value) => run(VIEWS, "readwrite", (store) => store.put(value, key));
export const drop = (key) => run(VIEWS, "readwrite", (store) => store.delete(key));
export const kept = (key) => run(VIEWS, "readonly", (store) => store.get(key));
// Only the entries of the courier who is signed in: somebody else's wait for them.
export const waiting = async () => ((await run(STORE, "readonly", (store) => store.getAll())) || []).filter((one) => !one.who || one.who === who());
const replace = (entry) => run(STORE, "readwrite", (store) => store.put(entry));
export const forget = (n) => run(STORE, "readwrite", (store) => store.delete(n));

const heard = new Set();
const channel = "BroadcastChannel" in window ? new BroadcastChannel(NAME) : null;
channel?.addEventListener("message", () => heard.forEach((tell) => tell(null)));
export const onChange = (tell) => heard.add(tell);
function tell(done = null) { heard.forEach((one) => one(done)); channel?.postMessage("changed"); }

const who = () => document.querySelector("meta[name=hk-courier]")?.content || "";

// entry: { visit, card, step, url, json } or { …, form: [[name, value or Blob, filename]] }. A step that waits already is
// not added again (a double tap), and one that was refused before makes room for the new try.
export async function add(entry) {
  const number = [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
  const fresh = { ...entry, who: who(), key: number, state: "waiting", at: new Date().toISOString() };
  await run(STORE, "readwrite", (store) => {
    store.getAll().onsuccess = ({ target }) => {
      const same = target.result.filter((one) => one.visit === entry.visit && one.card === entry.card && one.step === entry.step);
      if (same.some((one) => one.state === "waiting")) return;
      for (const one of same) store.delete(one.n);
      store.add(fresh);
    };
  });
  tell();
  void send();
}

function body(entry) {
  if (entry.form) {
    const form = new FormData();
    for (const [name, value, file] of entry.form) file ? form.append(name, value, file) : form.append(name, value);
    return { body: form, headers: {} };
  }
  return { body: JSON.stringify(entry.json ?? {}), headers: { "Content-Type": "application/json" } };
}

const token = () => document.querySelector("meta[name=hk-csrf]").content;
let pause = 1000, timer = 0, signedOut = false;
export const isSignedOut = () => signedOut;

function again(after) { clearTimeout(timer); timer = setTimeout(send, after); }

export function send() {
  const work = () => sendAll().catch(() => again(pause));
  // Without locks (old web views) a second tab may send the same step; its key makes that harmless.
  return navigator.locks ? navigator.locks.request("huika-outbox", { ifAvailable: true }, (lock) => lock && work()) : work();
}

const lane = (entry) => entry.visit + (entry.card || "");

// What stands behind a refused step of the same card, or of the visit itself, waits for a person.
export function blocked(entries) {
  const stopped = new Set(entries.filter((entry) => entry.state === "refused").map(lane));
  return entries.filter((entry) => entry.state !== "refused" && stopped.has(lane(entry)));
}

async function sendAll() {
  const busy = new Set();   // lanes whose step the server could not take just now
  for (;;) {
    const entries = await waiting(), held = new Set(blocked(entries));
    const next = entries.find((entry) => entry.state !== "refused" && !held.has(entry) && !busy.has(lane(entry)));
    if (!next) { if (busy.size) { pause = Math.min(pause * 2, 60_000); again(pause); } return; }
    const { body: content, headers } = body(next);
    let answer;
    try {
      answer = await fetch(next.url, {
        method: "POST", body: content, credentials: "same-origin", signal: AbortSignal.timeout?.(60_000),
        headers: { ...headers, "Idempotency-Key": next.key, "X-CSRFToken": token() },
      });
    } catch {
      pause = Math.min(pause * 2, 30_000);
      again(pause);
      tell();
      return;
    }
    if (answer.ok) {
      pause = 1000;
      await forget(next.n);
      const done = answer.headers.get("Content-Type")?.includes("json") ? await answer.json().catch(() => null) : null;
      tell({ entry: next, answer: done });
      continue;
    }
    if (answer.status === 401) { signedOut = true; tell(); return; }
    // 403 is a page that is older than its sign-in: the next look at the visit brings a fresh token, and it is sent again.
    if (answer.status >= 500 || [403, 408, 425, 429].includes(answer.status)) { busy.add(lane(next)); tell(); continue; }
    const problem = await answer.json().catch(() => ({}));
    // Refused: nothing is thrown away. It is shown with its reason until a person has seen it.
    await replace({ ...next, state: "refused", status: answer.status, code: problem.code || "", zh: problem.title || "", en: problem.detail || "" });
    tell({ entry: next, problem });
  }
}

window.addEventListener("online", () => { pause = 1000; void send(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) void send(); });
