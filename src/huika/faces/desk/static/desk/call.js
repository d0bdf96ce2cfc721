// The telephone order. Enter goes to the next field, number keys choose; what is typed stays in this tab (pages.js).
"use strict";

(function call() {
  const KEPT = ["hk:call", "hk:call-since"];
  if (document.querySelector("[data-call-over]")) { KEPT.forEach((name) => sessionStorage.removeItem(name)); return; }
  const form = document.getElementById("call");
  if (!form) return;
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const field = (name) => form.elements[name];
  const step = (name) => one(`[data-turn="${name}"]`);
  const known = { verified: false, payees: {}, consents: [], stopped: false, firm: false, now: null, later: null };
  let asked = 0;

  const make = (tag, className, text) => { const node = document.createElement(tag); node.className = className; if (text) node.textContent = text; return node; };
  const store = (name, value) => { try { sessionStorage.setItem(name, value); } catch { /* private mode */ } };
  const save = () => form.dispatchEvent(new Event("input", { bubbles: true }));
  const later = (act, ms) => { let timer; return (...args) => { clearTimeout(timer); timer = setTimeout(() => act(...args), ms); }; };

  // ---- asking our own server: an answer, a refusal in words, or nothing when there is no connection
  async function ask(address, names) {
    const options = { headers: { Accept: "application/json" }, credentials: "same-origin" };
    if (names) {
      const body = new FormData();
      for (const [name, value] of new FormData(form)) if (/^(csrfmiddlewaretoken|once)$/.test(name) || names.test(name)) body.append(name, value);
      body.append("at", String(Date.now()));
      Object.assign(options, { method: "POST", body });
    }
    try { const answer = await fetch(address, options); return await answer.json(); } catch { return { refusal: form.dataset.onceMore, gone: true }; }
  }

  // ---- how long we talk
  const clock = one("[data-clock]");
  const since = () => Number(sessionStorage.getItem(KEPT[1])) || 0;
  setInterval(() => { const s = since() ? Math.floor((Date.now() - since()) / 1000) : 0; clock.textContent = `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`; }, 500);
  document.addEventListener("input", () => { if (!since()) store(KEPT[1], String(Date.now())); }, { once: true });

  // ---- what to say: the sentence of the step where the cursor is
  document.addEventListener("focusin", (event) => {
    const node = event.target;
    const where = node.matches?.("[data-go]") ? "end" : node.matches?.("[name=consent]") ? `consent-${node.value}` : node.closest?.("[data-turn]")?.dataset.turn;
    if (where) all("[data-say]").forEach((line) => { line.hidden = line.dataset.say !== where; });
  });

  // ---- Enter and number keys
  const visible = (node) => node.offsetParent !== null || node.closest(".hk-chip")?.offsetParent != null;
  function stops() {
    const seen = new Set(), found = [];
    for (const node of all("[data-stop]")) {
      if (node.disabled || !visible(node)) continue;
      if (node.type !== "radio") { found.push(node); continue; }
      if (seen.has(node.name)) continue;
      seen.add(node.name);
      found.push(all(`input[name="${node.name}"]`).find((radio) => radio.checked) || node);
    }
    return found;
  }
  function next(from) {
    const every = stops();
    const here = every.findIndex((node) => node === from || (node.type === "radio" && node.name === from.name));
    const after = every[here + 1] || one("[data-go]:not(:disabled)");
    if (after) { after.focus(); after.select?.(); }
  }
  document.addEventListener("keydown", (event) => {
    const node = event.target;
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || !node.matches?.("input")) return;
    if (event.key === "Enter") {
      event.preventDefault();
      // Whoever types faster than the answer comes still gets the first hit.
      if (node.dataset.pick && node.value.trim() && !one("[data-value]", node.parentElement).value) { find(node).then((first) => first?.click()); return; }
      if (node.type === "checkbox" && node.name === "consent" && !node.checked) { node.checked = true; node.dispatchEvent(new Event("change", { bubbles: true })); save(); }
      next(node);
    } else if (event.key === "ArrowDown" && node.dataset.pick) { event.preventDefault(); one("[data-found] button", node.parentElement)?.focus(); }
    else if (/^[1-9]$/.test(event.key) && /^(radio|checkbox)$/.test(node.type)) {
      const group = node.type === "radio" ? all(`input[name="${node.name}"]`) : [node];
      const chosen = group[Number(event.key) - 1];
      if (!chosen) return;
      event.preventDefault();
      chosen.checked = true;
      chosen.dispatchEvent(new Event("change", { bubbles: true }));
      save();
      next(chosen);
    }
  });
  document.addEventListener("keydown", (event) => {
    const box = event.target.closest?.("[data-found]");
    if (!box) return;
    const buttons = all("button", box), here = buttons.indexOf(event.target);
    if (event.key === "ArrowDown") { event.preventDefault(); buttons[here + 1]?.focus(); }
    if (event.key === "ArrowUp") { event.preventDefault(); (buttons[here - 1] || one("[data-pick]", box.parentElement)).focus(); }
    if (event.key === "Escape") { box.hidden = true; one("[data-pick]", box.parentElement).focus(); }
  });

  // ---- kinds and districts, as typed
  async function find(input) {
    const kind = input.dataset.pick === "kind", box = one("[data-found]", input.parentElement), text = input.value;
    if (kind && !text.trim()) { box.hidden = true; return null; }
    const answer = await ask(`/desk/call/${kind ? "kinds" : "places"}?q=${encodeURIComponent(text)}`);
    if (input.value !== text || document.activeElement !== input) return null;
    const hits = answer.found || [];
    box.replaceChildren(...hits.map((hit, n) => {
      const button = make("button", n ? "" : "first", hit.name);
      button.type = "button";
      if (hit.refused) { button.disabled = true; button.append(make("small", "", hit.refused)); }
      button.addEventListener("click", () => pick(input, hit));
      return button;
    }));
    if (!hits.length) box.append(make("p", "hk-cap", answer.none || answer.refusal));
    box.hidden = false;
    return one("button:not(:disabled)", box);
  }
  const look = later(find, 120);
  function pick(input, hit) {
    const box = input.parentElement;
    input.value = hit.name;
    one("[data-value]", box).value = hit.value;
    one("[data-found]", box).hidden = true;
    if (input.dataset.pick === "kind") offer(input.closest("[data-line]"), hit);
    save();
    next(input);
    if (input.dataset.pick === "district") times();
    price();
  }
  // What is typed over a chosen name is not that kind any more.
  document.addEventListener("input", (event) => {
    const input = event.target;
    if (!input.matches?.("[data-pick]")) return;
    one("[data-value]", input.parentElement).value = "";
    look(input);
  });
  document.addEventListener("focusin", (event) => { if (event.target.matches?.('[data-pick="district"]') && !field("district").value) look(event.target); });
  document.addEventListener("focusout", (event) => { const box = event.target.closest?.(".pickbox"); if (box) setTimeout(() => { if (!box.contains(document.activeElement)) one("[data-found]", box).hidden = true; }, 150); });

  function offer(line, hit) {
    const face = one("[data-face]", line);
    one("[data-faces]", line).replaceChildren(...hit.faces.map((yuan) => {
      const chip = make("button", "hk-chip", `¥${yuan.toLocaleString("en")}`);
      chip.type = "button"; chip.tabIndex = -1; chip.dataset.yuan = yuan;
      chip.addEventListener("click", () => { face.value = yuan; save(); press(line); next(face); price(); });
      return chip;
    }));
    const forms = new Map(hit.forms);
    all("[data-forms] input", line).forEach((radio) => { radio.closest("label").hidden = !forms.has(radio.value); radio.disabled = !forms.has(radio.value); });
    if (forms.size && !all("[data-forms] input", line).some((radio) => radio.checked && !radio.disabled)) one("[data-forms] input:not(:disabled)", line).checked = true;
    press(line);
  }
  const press = (line) => all("[data-faces] button", line).forEach((chip) => chip.setAttribute("aria-pressed", String(chip.dataset.yuan === one("[data-face]", line).value.trim())));
  one("[data-more]").addEventListener("click", () => { const line = all("[data-line]").find((known) => known.hidden); if (!line) return; line.hidden = false; one("[data-pick]", line).focus(); one("[data-more]").hidden = !all("[data-line]").some((known) => known.hidden); });

  // ---- the price
  const price = later(async () => {
    const lines = all("[data-line]").filter((line) => one("[data-value]", line).value);
    const whole = lines.length && lines.every((line) => one("[data-face]", line).value.trim() && one('[name^="count-"]', line).value.trim());
    known.firm = false; field("comparison").value = ""; field("offer").value = "";
    state();
    if (!whole) { show(null); return; }
    const turn = ++asked;
    one("[data-net]").classList.add("netline_wait");
    const answer = await ask("/desk/call/quote", /^(kind|face|count|form|scratched)-|^district$/);
    if (turn === asked) show(answer);
  }, 200);
  function show(answer) {
    const net = one("[data-net]"), told = one("[data-price]"), figure = one("[data-figure]"), sub = one("[data-sub]");
    const none = answer && (answer.none || answer.refusal);
    net.classList.remove("netline_wait");
    net.classList.toggle("netline_none", Boolean(none));
    known.now = answer && !none ? answer : null;
    known.later = (known.now && answer.later) || null;
    figure.hidden = !answer || Boolean(none);
    told.textContent = !answer ? told.dataset.empty : none || "";
    sub.textContent = "";
    const notice = one("[data-notice]"), notices = (answer && answer.notices) || [];
    notice.hidden = !notices.length;
    one("[data-notice-text]").textContent = notices.join(" ");
    step("later").hidden = !known.later;
    if (known.later) {
      one("[data-later-name]").textContent = known.later.name;
      one('[data-say="later"]').textContent = known.later.ask;
    }
    if (answer && !none) {
      field("comparison").value = answer.comparison; known.firm = answer.firm;
      take();
      // A firm price stands for a quarter of an hour: ask anew before it ends.
      clearTimeout(show.again);
      if (answer.firm) show.again = setTimeout(price, 14 * 60 * 1000);
    }
    known.priced = Boolean(answer && !none);
    state();
  }

  // Which of the two is read out and booked: all at the door, or more with a part of it later.
  const wantsLater = () => Boolean(known.later) && chosen("later") === "yes";
  function take() {
    const offer = wantsLater() ? known.later : known.now;
    if (!offer) return;
    one("[data-price]").textContent = offer.say;
    one("[data-sub]").textContent = offer.sub;
    one("[data-later-sub]").textContent = known.later ? known.later.sub : "";
    one("[data-yuan]").textContent = offer.net;
    one("[data-cents]").textContent = offer.cents;
    field("offer").value = offer.offer;
    papers();
  }

  // ---- when
  async function times(day) {
    const windows = one("[data-windows]"), days = one("[data-days]");
    if (!field("district").value) return;
    const answer = await ask(`/desk/call/windows?district=${encodeURIComponent(field("district").value)}${day ? `&day=${day}` : ""}`);
    if (answer.refusal) { days.replaceChildren(); windows.replaceChildren(make("span", "hk-cap hk-warn", answer.refusal)); return; }
    const radio = (name, value, text, checked, stop, n) => {
      const label = make("label", "hk-chip"), input = document.createElement("input"), word = make("span", "");
      Object.assign(input, { type: "radio", name, value, checked });
      if (stop) { input.dataset.stop = ""; word.append(make("kbd", "", String(n))); }
      word.append(text);
      label.append(input, word);
      return label;
    };
    days.replaceChildren(...answer.days.map((d) => radio("day-shown", d.value, d.name, d.value === answer.day)));
    windows.replaceChildren(...answer.windows.map((w, n) => radio("window-shown", w.value, w.name, same(w.value, field("opens").value), true, n + 1)));
    if (!answer.windows.length) windows.append(make("span", "hk-cap hk-warn", answer.none));
    if (!answer.windows.some((w) => same(w.value, field("opens").value))) field("opens").value = "";
    state();
  }
  const same = (a, b) => Boolean(a && b) && Date.parse(a) === Date.parse(b);

  // ---- who
  const lookUp = later(async () => {
    const phone = field("phone").value.replace(/[\s-]/g, "").replace(/^\+86/, "");
    Object.assign(known, { verified: false, payees: {}, consents: [], stopped: false });
    one("[data-known]").textContent = "";
    if (!/^1[3-9]\d{9}$/.test(phone)) { papers(); state(); return; }
    const answer = await ask("/desk/call/caller", /^phone$/);
    one("[data-known]").textContent = answer.said || answer.refusal || "";
    one("[data-known]").classList.toggle("hk-warn", Boolean(answer.stopped));
    if (answer.known) Object.assign(known, { seller: answer.seller, verified: answer.verified, payees: answer.payees, consents: answer.consents, stopped: answer.stopped });
    papers();
    state();
  }, 150);
  const needed = () => ["service", "identity", "address", ...(online() ? ["payee"] : [])];
  const online = () => Boolean(one('input[name="rail"]:checked')?.hasAttribute("data-online"));
  const onFile = () => known.payees[chosen("rail")] || "";
  const chosen = (name) => all(`input[name="${name}"]:checked`)[0]?.value || "";
  const agreed = () => new Set([...known.consents, ...all('[name="consent"]:checked').map((box) => box.value)]);
  function papers() {
    one("[data-papers]").hidden = known.verified;
    all("[data-consent]").forEach((row) => { row.hidden = known.consents.includes(row.dataset.consent) || !needed().includes(row.dataset.consent); });
    one("[data-account]").hidden = !online() || Boolean(onFile());
    if (online()) for (const name of ["placeholder", "aria-label"]) field("account").setAttribute(name, one('input[name="rail"]:checked').dataset.field);
    const payee = one("[data-payee]");
    const noCash = chosen("rail") === "cash" && wantsLater();
    payee.hidden = !noCash && (!online() || !onFile());
    payee.textContent = noCash ? payee.dataset.later : `${payee.dataset.old} ${onFile()}`;
    payee.classList.toggle("hk-warn", noCash);
    if (onFile()) field("account").value = "";
    if (known.verified) verdict("verified", known.consents.length && needed().every((kind) => known.consents.includes(kind)) ? one("[data-verdict]").dataset.all : "");
  }
  function verdict(how, words) {
    const line = one("[data-verdict]"), row = step("person");
    line.textContent = words || "";
    line.className = `verdict hk-cap ${how === "verified" ? "hk-ok" : how === "failed" ? "hk-warn" : ""}`;
    row.classList.toggle("busy", how === "pending");
    row.classList.toggle("no", how === "failed");
  }
  let sentAs = "";
  const check = later(async () => {
    if (known.stopped || !field("phone").value.trim()) return;
    const complete = needed().every((kind) => agreed().has(kind));
    const fresh = needed().some((kind) => !known.consents.includes(kind));
    const number = field("id_number").value.trim(), name = field("name").value.trim();
    if (!complete || (known.verified ? !fresh : number.length !== 18 || name.length < 2)) return;
    const key = [field("phone").value, name, number, ...needed()].join("|");
    if (key === sentAs) return;
    sentAs = key;
    verdict("pending", "");
    const answer = await ask("/desk/call/person", /^(phone|name|id_number|consent)$/);
    if (answer.refusal) { if (answer.gone) sentAs = ""; verdict("failed", answer.refusal); state(); return; }
    known.seller = answer.seller;
    all('[name="consent"]:checked').forEach((box) => { if (!known.consents.includes(box.value)) known.consents.push(box.value); });
    follow(answer, key);
  }, 200);
  async function follow(answer, key) {
    if (key !== sentAs) return;
    verdict(answer.state, answer.said);
    known.verified = answer.state === "verified";
    state();
    if (answer.state !== "pending") { if (known.verified) papers(); return; }
    await new Promise((done) => setTimeout(done, 700));
    const news = await ask(`/desk/call/${known.seller}/identity`);
    follow(news.state ? news : answer, key);
  }

  // ---- what is still missing, and the one button
  function state() {
    const answers = all("[data-turn=screen] .yn").map((group) => one("input:checked", group)?.value || "");
    const yes = answers.includes("yes"), four = answers.every((answer) => answer === "no");
    const done = {
      phone: /^(\+?86)?1[3-9]\d{9}$/.test(field("phone").value.replace(/[\s-]/g, "")),
      cards: Boolean(known.priced),
      place: Boolean(field("district").value) && field("address").value.trim().length >= 4 && (known.firm || !known.priced),
      when: Boolean(field("opens").value),
      later: true,
      rail: (chosen("rail") === "cash" && !wantsLater()) || (online() && Boolean(onFile() || field("account").value.trim())),
      person: known.verified && needed().every((kind) => agreed().has(kind)),
    };
    for (const [name, ready] of Object.entries(done)) step(name).classList.toggle("ok", ready);
    const missing = one("[data-missing]"), go = one("[data-go]");
    const left = Object.keys(done).filter((name) => !done[name]).map((name) => step(name).dataset.need);
    if (!four) left.push(missing.dataset.allFour);
    go.disabled = yes ? !done.phone : left.length > 0 || known.stopped;
    go.textContent = yes ? go.dataset.halt : go.dataset.book;
    go.classList.toggle("btn_halt", yes);
    missing.textContent = yes ? "" : left.length ? missing.dataset.still + left.join(missing.dataset.join) : missing.dataset.ready;
    one("[data-stop-box]").hidden = !yes;
    one("[data-calm]").hidden = yes;
    const count = answers.filter(Boolean).length, of = one("[data-asked]");
    of.textContent = count ? of.dataset.of.replace("{n}", count) : "";
  }

  document.addEventListener("input", (event) => {
    const name = event.target.getAttribute?.("name") || "";
    if (name === "phone") lookUp();
    if (/^(face|count)-/.test(name)) { if (event.target.matches("[data-face]")) press(event.target.closest("[data-line]")); price(); }
    if (/^(name|id_number|phone)$/.test(name)) check();
    state();
  });
  document.addEventListener("change", (event) => {
    const { name, value } = event.target;
    if (!form.contains(event.target)) save();
    if (/^(form|scratched)-/.test(name)) price();
    if (name === "window-shown") { field("opens").value = value; save(); }
    if (name === "day-shown") times(value);
    if (name === "later") take();
    if (name === "rail") papers();
    if (name === "rail" || name === "consent") check();
    state();
  });
  one("[data-clear]").addEventListener("click", () => { KEPT.forEach((key) => sessionStorage.removeItem(key)); location.assign("/desk/call"); });

  // ---- coming back to a draft: look again at what depends on our side
  all("[data-line]").forEach(async (line) => {
    const slug = one("[data-value]", line).value;
    if (!slug) return;
    line.hidden = false;
    const answer = await ask(`/desk/call/kinds?q=${encodeURIComponent(slug)}`);
    const hit = (answer.found || []).find((kind) => kind.value === slug);
    if (hit) offer(line, hit);
  });
  papers();
  if (field("phone").value) lookUp();
  if (field("district").value) times();
  price();
  state();
})();
