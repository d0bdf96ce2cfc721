// What every phone page needs: Trusted Types for htmx, what was typed survives, a double tap sends once.
"use strict";

// htmx puts fragments of our own server into the page as HTML. They pass through here: parsed where nothing runs,
// stripped of everything that could run, and only then handed on.
(function trust() {
  if (!window.trustedTypes || !trustedTypes.createPolicy) return;
  const raw = trustedTypes.createPolicy("huika", { createHTML: (text) => text });
  const harmless = (text) => {
    const inert = document.implementation.createHTMLDocument("").createElement("template");
    inert.innerHTML = raw.createHTML(text);
    for (const node of inert.content.querySelectorAll("*")) {
      if (/^(script|iframe|object|embed|base|meta|link|style)$/i.test(node.localName)) { node.remove(); continue; }
      for (const { name, value } of [...node.attributes])
        if (/^(on|hx-on|data-hx-on)/i.test(name) || /^(javascript|data|vbscript):/i.test(value.replace(/[\u0000-\u0020]/g, "")) && /^(href|action|formaction|src|xlink:href)$/i.test(name)) node.removeAttribute(name);
    }
    return inert.innerHTML;
  };
  trustedTypes.createPolicy("default", {
    createHTML: harmless,
    createScriptURL: (url) => { if (new URL(url, location.href).origin === location.origin) return url; throw new TypeError("script from elsewhere"); },
  });
})();

// Kept until the step is done: every field of a form marked data-keep, in this tab alone. Codes and identity numbers are not.
(function keep() {
  const place = (form) => `hk:${form.dataset.keep}`;
  const fields = (form) => [...form.elements].filter((f) => f.name && !("secret" in f.dataset) && !/^(hidden|password|file|submit)$/.test(f.type));
  const read = (form) => { try { return JSON.parse(sessionStorage.getItem(place(form)) || "{}"); } catch { return {}; } };
  function restore(form) {
    const kept = read(form), asked = new URLSearchParams(location.search);   // what the address says comes first
    for (const field of fields(form)) {
      if (!(field.name in kept) || asked.has(field.name)) continue;
      if (field.type === "radio" || field.type === "checkbox") { if (form.dataset.fresh === undefined) field.checked = kept[field.name].includes(field.value); }
      else if (!field.value || field.type === "number") {
        field.value = kept[field.name][0] ?? "";
        const shown = field.type === "number" && field.parentElement.querySelector("output");
        if (shown) shown.textContent = field.value;
      }
    }
  }
  function save(form) {
    const kept = {};
    for (const field of fields(form)) {
      if ((field.type === "radio" || field.type === "checkbox") && !field.checked) { kept[field.name] ||= []; continue; }
      (kept[field.name] ||= []).push(field.value);
    }
    try { sessionStorage.setItem(place(form), JSON.stringify(kept)); } catch { /* private mode: the server's copy remains */ }
  }
  // An order stands, or somebody signed out: what was typed for it is not kept for whoever comes next.
  if ("done" in document.documentElement.dataset) for (const name of Object.keys(sessionStorage)) if (name.startsWith("hk:")) sessionStorage.removeItem(name);
  document.querySelectorAll("form[data-keep]").forEach((form) => {
    restore(form);
    // What depends on the fields (a price, the free windows) is asked for again once htmx listens.
    if (form.querySelector("[hx-trigger]")) window.addEventListener("load", () => {
      const changed = fields(form).some((f) => f.type === "radio" || f.type === "checkbox" ? f.checked !== f.defaultChecked : f.value !== (f.defaultValue ?? f.value));
      if (changed) form.querySelector("[hx-trigger]").dispatchEvent(new Event("change", { bubbles: true }));
    });
  });
  document.addEventListener("input", (event) => { const form = event.target.closest?.("form[data-keep]"); if (form) save(form); });
})();

// A button that was tapped waits for its answer; leaving for the next page is told at once, a failure gives it back.
(function once() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[hx-get],[hx-post]")) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    if (!navigator.onLine && form.method === "post") { event.preventDefault(); gone(); return; }
    form.dataset.sent = "1";
    setTimeout(() => delete form.dataset.sent, 8000);
    (event.submitter || form.querySelector("[type=submit]"))?.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", () => document.querySelectorAll("form").forEach((form) => {
    delete form.dataset.sent;
    form.querySelectorAll("[aria-busy]").forEach((button) => button.removeAttribute("aria-busy"));
  }));
})();

function gone() {
  let note = document.getElementById("hk-gone");
  if (!note) {
    note = document.createElement("p");
    note.id = "hk-gone";
    note.className = "hk-note hk-note_warn";
    note.setAttribute("role", "alert");
    document.querySelector("main").prepend(note);
  }
  note.textContent = document.body.dataset.gone;
  note.scrollIntoView({ block: "nearest" });
}
function back() { document.getElementById("hk-gone")?.remove(); }
document.addEventListener("htmx:sendError", gone);
document.addEventListener("htmx:timeout", gone);
document.addEventListener("htmx:afterOnLoad", back);
window.addEventListener("online", back);

// An answer that refuses still shows its note.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status >= 400 && event.detail.xhr.getResponseHeader("Content-Type")?.startsWith("text/html")) event.detail.shouldSwap = true;
});

// Chips for one code field: drawn cells follow the one real input, which sends itself when it is full.
document.addEventListener("input", (event) => {
  const box = event.target.closest?.(".hk-codebox");
  if (!box) return;
  const digits = event.target.value.replace(/\D/g, "").slice(0, 6);
  if (digits !== event.target.value) event.target.value = digits;
  box.querySelectorAll(".hk-cells i").forEach((cell, n) => { cell.textContent = digits[n] || ""; cell.classList.toggle("on", n === digits.length); });
  box.querySelector(".hk-cells")?.classList.remove("hk-cells_bad");
  const form = event.target.form, button = form && document.querySelector(`[form="${form.id}"][data-left]`);
  if (button) {
    button.disabled = digits.length < 6;
    button.textContent = digits.length < 6 ? button.dataset.left.replace("{n}", 6 - digits.length) : button.dataset.go;
  }
  if (digits.length === 6 && "auto" in event.target.dataset) form.requestSubmit();
});

// A stepper: minus, plus, between its bounds.
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-step]");
  if (!button) return;
  const field = button.closest(".hk-stepper").querySelector("input");
  const next = Math.min(Number(field.max), Math.max(Number(field.min), Number(field.value) + Number(button.dataset.step)));
  if (next === Number(field.value)) return;
  field.value = next;
  button.closest(".hk-stepper").querySelector("output").textContent = next;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.dispatchEvent(new Event("change", { bubbles: true }));
});

// The elder view asks one question a page: the parts of a form marked data-q one after another, in the same form.
(function oneByOne() {
  const form = document.querySelector("form[data-steps]");
  const go = form && document.querySelector(`[form="${form.id}"][data-next]`);
  if (!go) return;
  const last = go.textContent, back = document.querySelector("[data-back]");
  let at = 0;
  const parts = () => [...form.querySelectorAll("[data-q]")];
  function show() {
    const all = parts();
    at = Math.min(at, all.length - 1);
    all.forEach((part, n) => { part.hidden = n !== at; });
    go.textContent = at < all.length - 1 ? go.dataset.next : last;
    form.querySelectorAll(".hk-sum").forEach((sum) => { sum.hidden = at > 0; });
  }
  form.noValidate = true;
  go.addEventListener("click", (event) => {
    const all = parts(), wrong = [...all[at].querySelectorAll("input, select")].find((field) => !field.checkValidity());
    if (wrong) { event.preventDefault(); wrong.reportValidity(); return; }
    if (at < all.length - 1) { event.preventDefault(); at += 1; show(); scrollTo(0, 0); }
  });
  back?.addEventListener("click", () => { if (at > 0) { at -= 1; show(); scrollTo(0, 0); } else history.back(); });
  // At once when new parts are in, before they are seen; again once htmx has settled their attributes.
  document.addEventListener("htmx:afterSwap", show);
  document.addEventListener("htmx:afterSettle", show);
  show();
})();

// How many questions are still open, on the button.
(function open() {
  const form = document.querySelector("form[data-count]");
  const go = form && document.querySelector(`[form="${form.id}"].hk-btn_go`);
  if (!go || go.dataset.next) return;
  const done = go.textContent;
  function count() {
    const names = [...new Set([...form.querySelectorAll("fieldset:not([data-optional]) input[type=radio]")].map((field) => field.name))];
    const left = names.filter((name) => !form.querySelector(`input[name="${name}"]:checked`)).length;
    go.disabled = left > 0;
    go.textContent = left ? form.dataset.count.replace("{n}", left) : done;
  }
  form.addEventListener("change", count);
  count();
})();
