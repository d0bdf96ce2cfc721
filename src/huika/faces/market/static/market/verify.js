// Checks a receipt (C2SP tlog-proof) with the log's key. Nothing is sent anywhere.
const $ = (id) => document.getElementById(id), all = (what) => document.querySelectorAll(what);
const steps = all("#steps li"), page = $("verifier"), { subtle } = crypto, FORM = "c2sp.org/tlog-proof@v1";
const show = (state) => { page.dataset.state = state; };
const say = (name, text) => all(`[data-say=${name}]`).forEach((at) => { at.textContent = text; });
const must = (ok, why = "stop") => { if (!ok) throw why; };
const join = (...parts) => new Blob(parts).arrayBuffer();
const sha = async (...parts) => new Uint8Array(await subtle.digest("SHA-256", await join(...parts)));
const hex = (bytes) => [...bytes].map((b) => b.toString(16).padStart(2, 0)).join("");
const unhex = (text) => Uint8Array.from(text.match(/../g) || [], (h) => parseInt(h, 16));
const utf8 = (bytes) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
// Base64, numbers, JSON: only the one form that the log writes.
const unb64 = (text) => { const raw = atob(text); must(btoa(raw) === text); return Uint8Array.from(raw, (c) => c.charCodeAt()); };
const int = (text) => { must(/^(0|[1-9]\d{0,8})$/.test(text)); return +text; };
const keys = (thing) => Object.keys(thing).sort();
const json = (v) => {
  if (Array.isArray(v)) return `[${v.map(json)}]`;
  if (v && typeof v === "object") return `{${keys(v).map((k) => JSON.stringify(k) + ":" + json(v[k]))}}`;
  must(typeof v !== "number" || Number.isSafeInteger(v));
  return JSON.stringify(v);
};

async function trusted(text) {
  try {
    const [, name, id, b64] = /^([^\s+]+)\+(.{8})\+(.+)$/.exec(text.trim()), raw = unb64(b64);
    must(raw.length === 33 && raw[0] === 1 && hex(await sha(name, "\n", raw)).slice(0, 8) === id);
    return { name, id, raw: raw.slice(1) };
  } catch { throw "key"; }
}

// RFC 9162, 2.1.3.2
async function rootOf(r, fn, sn, path) {
  must(fn < sn--);
  for (const p of path) {
    must(sn && p.length === 32);
    if (fn & 1 || fn === sn) {
      r = await sha("\x01", p, r);
      while (fn && !(fn & 1)) { fn >>= 1; sn >>= 1; }
    } else r = await sha("\x01", r, p);
    fn >>= 1; sn >>= 1;
  }
  must(!sn);
  return hex(r);
}

async function check(bytes) {
  let n = -1;
  const next = () => { if (n >= 0) steps[n].dataset.at = "ok"; n++; };
  for (const li of steps) li.dataset.at = "";
  show("busy");
  try {
    must(subtle, "browser");
    const key = await trusted($("key").value), text = utf8(bytes), gap = text.indexOf("\n\n"), note = text.slice(gap + 2);
    must(text.startsWith(FORM), "none");
    next();
    const [form, data, place, ...hashes] = text.slice(0, gap).split("\n");
    must(form === FORM && data.startsWith("extra ") && place.startsWith("index "));
    const plain = utf8(unb64(data.slice(6))), extra = JSON.parse(plain), { leaf, parts } = extra, index = int(place.slice(6));
    must(json(extra) === plain && keys(extra) + "" === "leaf,parts" && json(parts)[0] === "{");
    const path = hashes.map(unb64), [, body, origin, count, root, signer, b64] =
      /^(([^\n]+)\n(\d+)\n([^\n]+)\n(?:[^\n]+\n)*)\n— (\S+) (\S+)\n$/.exec(note),
      size = int(count), sig = unb64(b64), top = hex(unb64(root));
    must(note.split("\n— ").length === 2 && top.length === 64);
    next();
    for (const name in parts) {
      const { salt, value } = parts[name], raw = unhex(salt);
      must(keys(parts[name]) + "" === "salt,value" && hex(raw) === salt && leaf.parts[name] === hex(await sha(raw, json(value))));
    }
    next();
    say("place", index);
    must(leaf.v === 1 && leaf.place === index);
    const hash = await sha("\0", json(leaf));
    next();
    say("size", size);
    must(await rootOf(hash, index, size, path) === top);
    next();
    must(origin === key.name && signer === origin && hex(sig.slice(0, 4)) === key.id, "other");
    const ed = await subtle.importKey("raw", key.raw, "Ed25519", 0, ["verify"]).catch(() => must(0, "browser"));
    must(await subtle.verify("Ed25519", ed, sig.slice(4), await join(body)));
    next();
    const { order, money, cards } = parts, fen = money?.value.due_fen;
    say("code", order?.value.code || "—");
    say("net", fen ? "¥" + (fen / 100).toLocaleString("en", { minimumFractionDigits: 2 }) : "—");
    say("cards", cards?.value.length || "—");
    say("at", new Date(leaf.at).toLocaleString(page.lang, { timeZone: "Asia/Shanghai" }));
    show("good");
  } catch (why) {
    if (n >= 0) steps[n].dataset.at = "stop";
    say("step", n + 1);
    show(why.at ? why : n < 0 ? "none" : "stop");
  }
  $("result").focus();
}

const take = async (file) => check(await file?.slice(0, 1e6).arrayBuffer());
$("file").onchange = (e) => take(e.target.files[0]);
$("paste").onclick = () => take(new Blob([$("text").value.trim(), "\n"]));
$("again").onclick = () => { $("file").value = ""; show("drop"); };
document.ondragover = (e) => e.preventDefault();
document.ondrop = (e) => { e.preventDefault(); take(e.dataTransfer.files[0]); };
